// SPDX-License-Identifier: Apache-2.0

#if Configuration
    public import Configuration

    /// Where options are read from: flags, the environment, files, in an order of precedence.
    ///
    /// ```swift
    /// let settings = try await Settings(arguments: CommandLine.arguments)
    /// print(settings)                                  // every value in force and who said so, without secrets
    /// let listen = try ListenSettings(configuration: settings)
    /// let options = try ServerOptions(configuration: settings)
    /// ```
    ///
    /// The keys are those of ``Setting/all``. A value that is wrong is an error with its key, the value, who said it and
    /// what would be right; a key that nobody knows is told by ``unknownKeys``.
    public struct Settings: Sendable {
        private let places: [any SettingPlace]
        private let scope: [String]

        /// What providers say, the first that has a word about a key.
        public init(providers: [any ConfigProvider]) {
            self.init(places: providers.map { ProviderPlace($0) })
        }

        /// What a reader says. It does not tell which of its providers said so.
        public init(_ reader: ConfigReader) {
            self.init(places: [ReaderPlace(reader: reader)])
        }

        init(places: [any SettingPlace], scope: [String] = []) {
            self.places = places
            self.scope = scope
        }

        /// The settings below a key: those of the second server of a process, say, `internal.server.port` in the scope
        /// `internal`.
        public func scoped(to key: String) -> Settings {
            Settings(places: places, scope: scope + key.split(separator: ".").map(String.init))
        }

        /// The keys below `server`, `client`, `admin` and `telemetry` that mean nothing, as they were written and with
        /// where: typing errors, mostly. Told by those sources alone that can be listed: the ones that
        /// ``init(arguments:environment:file:prefix:)`` makes.
        public var unknownKeys: [String] { places.flatMap { $0.unknown(in: scope) } }

        func find(_ setting: Setting) -> SettingFound? {
            let key = scope + setting.key.split(separator: ".").map(String.init)
            for place in places {
                if let found = place.find(key, isSecret: setting.isSecret) { return found }
            }
            return nil
        }

        static func quoted(_ text: String) -> String { text.debugDescription }
    }

    extension Settings: CustomStringConvertible {
        /// All values in force, one in a line: the key, the value or `<redacted>`, and who said so; then the unknown keys.
        public var description: String {
            let prefix = scope.map { "\($0)." }.joined()
            let lines = SettingGroup.all.flatMap { $0.values(self) }
            let width = (lines.map(\.key.count).max() ?? 0) + prefix.count
            let text = lines.map { line in
                let key = prefix + line.key
                return "\(key)\(String(repeating: " ", count: width - key.count)) = \(line.value)  (\(line.origin))"
            }
            return (text + unknownKeys.map { "unknown: \($0)" }).joined(separator: "\n")
        }
    }
#endif
