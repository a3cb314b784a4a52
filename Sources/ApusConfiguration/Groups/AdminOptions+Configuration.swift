// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus
    public import ApusAdmin

    extension AdminOptions {
        /// What the settings below `admin` ask for; the defaults where they ask for nothing.
        ///
        /// - Throws: for every value that is wrong. That an address needs a token is told when the page starts.
        public init(configuration: Settings) throws(SettingsError) { self = try Self.read(configuration).options }
    }

    extension AdminOptions: ConfiguredOptions {
        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "admin.host", \.host, .text("an IP address or a name") { Endpoint.Address.isHost($0) },
                "Where the admin page listens; another address than this machine's own needs a token."),
            SettingRow("admin.port", \.port, .count(0...65535), "Its port; 0 takes a free one."),
            SettingRow(
                "admin.token", \.token,
                SettingForm.text("16 characters at least, of ASCII and without spaces") { text in
                    text.utf8.count >= 16 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
                }.optional, isSecret: true, "What its readers have to know."),
            SettingRow(
                "admin.hosts", \.hosts, .names,
                "Names besides `localhost` and addresses under which it may be asked for."),
            SettingRow(
                "admin.maximumConnections", \.maximumConnections, .count(1...Int(Int32.max)), "Connections at once."),
            SettingRow(
                "admin.maximumListeners", \.maximumListeners, .count(0...Int(Int32.max)),
                "Readers of its events at once."),
            SettingRow(
                "admin.patience", \.patience, .duration(from: .milliseconds(1)),
                "The time for a request, and for its reader to take the answer."),
            SettingRow(
                "admin.interval", \.interval, .duration(from: .milliseconds(1), to: .seconds(5)),
                "The time between two events."),
        ]
    }

    extension SettingForm<Set<String>> {
        static var names: SettingForm {
            let list = SettingForm<String>.text("names") { Endpoint.Address.isHost($0) }.list
            return SettingForm(
                expected: list.expected, read: { list.read($0).map { Set($0) } }, write: { list.write($0.sorted()) })
        }
    }
#endif
