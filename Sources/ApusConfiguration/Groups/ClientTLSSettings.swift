// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus

    /// TLS as a client's settings write it. There is no setting that trusts every certificate.
    struct ClientTLSSettings: ConfiguredOptions {
        var isEnabled: Bool?
        var roots: String?
        var chain: String?
        var privateKey: String?
        var tls = ClientTLS()

        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "client.tls.enabled", \.isEnabled, SettingForm.flag.optional,
                "Whether connections are encrypted; `none`: when another setting of `client.tls` is there."),
            SettingRow(
                "client.tls.roots", \.roots, SettingForm.path.optional,
                "The authorities that may have signed servers' certificates, in PEM; the system's unless told."),
            SettingRow(
                "client.tls.certificateChain", \.chain, SettingForm.path.optional,
                "The certificate shown to servers that ask for one, in PEM."),
            SettingRow("client.tls.privateKey", \.privateKey, SettingForm.path.optional, "The key to it, in PEM."),
            SettingRow(
                "client.tls.serverName", \.tls.serverName,
                SettingForm.text("an IP address or a name") { Endpoint.Address.isHost($0) }.optional,
                "The name that servers must have a certificate for; the endpoint's unless told."),
            SettingRow(
                "client.tls.minimumVersion", \.tls.minimumVersion, .version, "The oldest version that is spoken."),
            SettingRow(
                "client.tls.handshakeTimeout", \.tls.handshakeTimeout, .duration(from: .milliseconds(1)),
                "The time for a whole handshake."),
            SettingRow(
                "client.tls.reloadInterval", \.tls.reloadInterval, .duration(from: .zero),
                "How often files are looked at for changes."),
        ]

        /// nil: nothing asks for TLS, or something says that there is to be none.
        static func tls(_ source: Settings) throws(SettingsError) -> ClientTLS? {
            let (options, said) = try read(source)
            guard options.isEnabled ?? !said.isEmpty else { return nil }
            var tls = options.tls
            tls.roots = options.roots.map { .file($0) } ?? .system
            switch (options.chain, options.privateKey) {
            case (nil, nil): break
            case (let chain?, let key?): tls.certificate = .files(chain: chain, privateKey: key)
            case (_?, nil): throw SettingsError("client.tls.privateKey", not: "the key to client.tls.certificateChain")
            case (nil, _?):
                throw SettingsError("client.tls.certificateChain", not: "what client.tls.privateKey belongs to")
            }
            return tls
        }
    }
#endif
