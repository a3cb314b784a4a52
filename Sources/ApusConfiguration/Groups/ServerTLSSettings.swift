// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus

    /// TLS as a server's settings write it.
    struct ServerTLSSettings: ConfiguredOptions {
        enum Clients: Sendable { case ignored, optional, required }

        var chain: String?
        var privateKey: String?
        var clients = Clients.ignored
        var clientRoots: String?
        // Its certificates come last.
        var tls = ServerTLS()

        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "server.tls.certificateChain", \.chain, SettingForm.path.optional,
                "The server's certificate in PEM, followed by its authorities'. With it the server speaks TLS."),
            SettingRow("server.tls.privateKey", \.privateKey, SettingForm.path.optional, "The key to it, in PEM."),
            SettingRow(
                "server.tls.clients", \.clients,
                .choice(["ignored": .ignored, "optional": .optional, "required": .required]),
                "The certificates that clients show: not asked for, checked if shown, or needed."),
            SettingRow(
                "server.tls.clientRoots", \.clientRoots, SettingForm.path.optional,
                "The authorities that may have signed them, in PEM; the system's unless told."),
            SettingRow(
                "server.tls.minimumVersion", \.tls.minimumVersion, .version, "The oldest version that is spoken."),
            SettingRow(
                "server.tls.handshakeTimeout", \.tls.handshakeTimeout, .duration(from: .milliseconds(1)),
                "The time for a whole handshake."),
            SettingRow(
                "server.tls.maximumHandshakes", \.tls.maximumHandshakes, .count(1...Int(Int32.max)),
                "Handshakes that go on at once."),
            SettingRow(
                "server.tls.reloadInterval", \.tls.reloadInterval, .duration(from: .zero),
                "How often files are looked at for changes."),
        ]

        /// nil: nothing asks for TLS.
        static func tls(_ source: Settings) throws(SettingsError) -> ServerTLS? {
            let (options, said) = try read(source)
            guard !said.isEmpty else { return nil }
            let hint = said.min { $0.key < $1.key }.map { "\($0.key) says so" } ?? ""
            guard let chain = options.chain else {
                throw SettingsError(
                    "server.tls.certificateChain", not: "the path of a file for a server with TLS: \(hint)")
            }
            guard let key = options.privateKey else {
                throw SettingsError("server.tls.privateKey", not: "the path of a file for a server with TLS: \(hint)")
            }
            if options.clients == .ignored, let origin = said["server.tls.clientRoots"] {
                throw SettingsError(
                    "server.tls.clients", is: "\"ignored\"", from: said["server.tls.clients"] ?? "default",
                    not: "optional or required for server.tls.clientRoots (\(origin))")
            }
            var tls = options.tls
            tls.certificates = [.files(chain: chain, privateKey: key)]
            let roots = options.clientRoots.map { TLSRoots.file($0) } ?? .system
            switch options.clients {
            case .ignored: tls.clients = .ignored
            case .optional: tls.clients = .optional(roots)
            case .required: tls.clients = .required(roots)
            }
            return tls
        }
    }

    extension SettingForm<TLSVersion> {
        static let version = SettingForm.choice(["1.2": .tls12, "1.3": .tls13])
    }
#endif
