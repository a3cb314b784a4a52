// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import ApusCore
    import Configuration

    #if canImport(FoundationEssentials)
        import FoundationEssentials
    #else
        import Foundation
    #endif

    extension Settings {
        /// What a process is told: flags win over the environment, that over a file in JSON, and that over the defaults.
        ///
        /// `server.maximumConnections` is `--server-maximum-connections 500` (or `--server-maximum-connections=500`),
        /// `APUS_SERVER_MAXIMUM_CONNECTIONS=500` and `{"server": {"maximumConnections": 500}}`.
        ///
        /// - Parameters:
        ///   - arguments: the command line, with the program's name in front.
        ///   - environment: the variables; nil takes the process' own.
        ///   - file: the path of a file in JSON; nil takes the one that `--config-file` or `APUS_CONFIG_FILE` names, if any.
        ///   - prefix: what variables begin with, which keeps them apart from others' (Kubernetes makes an `ADMIN_PORT` for
        ///     every service of that name); empty for none.
        /// - Throws: swift-configuration's errors, for a file that is not there or is no such JSON.
        public init(
            arguments: [String], environment: [String: String]? = nil, file: String? = nil, prefix: String = "apus"
        ) async throws {
            let environment = environment ?? ProcessInfo.processInfo.environment
            let scope = prefix.split(separator: ".").map(String.init)
            let flags = CommandLineArgumentsProvider(arguments: arguments)
            let variables = EnvironmentVariablesProvider(environmentVariables: environment)
                .prefixKeys(with: ConfigKey(scope))
            let spelled = KeySpelling.environment(prefix: scope)
            var places = [
                ProviderPlace(flags, label: "flag", keys: ListedKeys(names: Self.flags(arguments), spelling: .flag)),
                ProviderPlace(
                    variables, label: "environment", keys: ListedKeys(names: Array(environment.keys), spelling: spelled)
                ),
            ]
            let named = ConfigReader(providers: [flags, variables]).string(forKey: "config.file")
            if let path = file ?? named { places.append(try await Self.place(path)) }
            self.init(places: places)
        }

        private static func flags(_ arguments: [String]) -> [String] {
            arguments.dropFirst().filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }
        }

        private static func place(_ path: String) async throws -> ProviderPlace {
            let value = ConfigValue(.string(path), isSecret: false)
            let reader = ConfigReader(provider: InMemoryProvider(values: ["filePath": value]))
            let provider = try await FileProvider<JSONSnapshot>(config: reader)
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let names = (try? JSONReader.read(bytes)).map { keys($0, below: "") } ?? []
            return ProviderPlace(provider, label: path, keys: ListedKeys(names: names, spelling: .file))
        }

        private static func keys(_ value: JSON, below key: String) -> [String] {
            guard case .object(let members) = value else { return [key] }
            return members.flatMap { keys($0.value, below: key.isEmpty ? $0.key : "\(key).\($0.key)") }
        }
    }
#endif
