// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus

    /// A client's keepalive as settings write it.
    struct KeepaliveSettings: ConfiguredOptions {
        var interval: Duration?
        var timeout = Duration.seconds(20)
        var withoutCalls = false

        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "client.keepalive.interval", \.interval,
                SettingForm.duration(from: ClientKeepalive.minimumInterval).optional,
                "The silence after which a server is asked whether it is still there; `none` leaves that to TCP."),
            SettingRow(
                "client.keepalive.timeout", \.timeout, .duration(from: .milliseconds(1)),
                "The time that it has for its answer."),
            SettingRow(
                "client.keepalive.withoutCalls", \.withoutCalls, .flag,
                "It is asked while no call is open, too. Most servers allow that once in two hours."),
        ]

        static func keepalive(_ source: Settings) throws(SettingsError) -> ClientKeepalive? {
            let options = try read(source).options
            return options.interval.map {
                ClientKeepalive(interval: $0, timeout: options.timeout, withoutCalls: options.withoutCalls)
            }
        }
    }
#endif
