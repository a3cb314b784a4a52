// SPDX-License-Identifier: Apache-2.0

#if Configuration
    /// The keys of a source that can be listed, and how it spells those that mean something.
    struct ListedKeys: Sendable {
        let names: [String]
        let spelling: KeySpelling

        func unknown(in scope: [String]) -> [String] {
            let known = Set(Setting.all.map { spelling.spell(scope + $0.key.split(separator: ".").map(String.init)) })
            let groups = Set(Setting.all.compactMap { $0.key.split(separator: ".").first.map(String.init) })
            let ours = groups.map { spelling.spell(scope + [$0]) + spelling.separator }
            return names.filter { name in !known.contains(name) && ours.contains { name.hasPrefix($0) } }.sorted()
        }
    }

    /// How swift-configuration's providers spell a key. Source: its articles on `EnvironmentVariablesProvider` and
    /// `CommandLineArgumentsProvider`.
    enum KeySpelling: Sendable {
        /// `APUS_SERVER_MAXIMUM_CONNECTIONS`, behind a prefix of the process.
        case environment(prefix: [String])
        /// `--server-maximum-connections`.
        case flag
        /// `server.maximumConnections`.
        case file

        var separator: String {
            switch self {
            case .environment: "_"
            case .flag: "-"
            case .file: "."
            }
        }

        func spell(_ key: [String]) -> String {
            switch self {
            case .environment(let prefix):
                (prefix + key).map { Self.words($0, "_").uppercased() }.joined(separator: "_")
            case .flag: "--" + key.map { Self.words($0, "-").lowercased() }.joined(separator: "-")
            case .file: key.joined(separator: ".")
            }
        }

        private static func words(_ word: String, _ separator: Character) -> String {
            var text = ""
            for character in word {
                if character.isUppercase, let last = text.last, last.isLowercase { text.append(separator) }
                text.append(character)
            }
            return text
        }
    }
#endif
