// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus
    import ApusAdmin
    import ApusOTLP

    /// The settings of one kind of options, without the kind.
    struct SettingGroup: Sendable {
        let settings: [Setting]
        /// What is in force, each with its key; or what is wrong with it.
        let values: @Sendable (Settings) -> [SettingInForce]

        init<Options: ConfiguredOptions>(_: Options.Type) {
            settings = Options.rows.map(\.setting)
            values = { source in Options.rows.map { $0.inForce(source) } }
        }

        static let all: [SettingGroup] = [
            SettingGroup(ListenSettings.self), SettingGroup(ServerOptions.self), SettingGroup(ServerTLSSettings.self),
            SettingGroup(StackSettings.self), SettingGroup(TransportOptions.self), SettingGroup(KeepaliveSettings.self),
            SettingGroup(ClientTLSSettings.self), SettingGroup(AdminOptions.self), SettingGroup(OTLPOptions.self),
        ]
    }

    /// A value in force, as people may see it.
    struct SettingInForce: Sendable {
        let key: String
        let value: String
        let origin: String
    }
#endif
