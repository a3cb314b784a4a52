// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusConfiguration
import Configuration
import Testing

struct SettingsTests {
    @Test func `a setting that nobody gives keeps the option's own default`() throws {
        let options = try ServerOptions(configuration: settings([:]))
        #expect(options.maximumConcurrentStreams == ServerOptions().maximumConcurrentStreams)
        #expect(options.acknowledgementTimeout == ServerOptions().acknowledgementTimeout)
        #expect(options.tls == nil)
        #expect(try TransportOptions(configuration: settings([:])).tls == nil)
        #expect(try DefaultStack(configuration: settings([:])).timeout == DefaultStack().timeout)
    }

    @Test func `a server's budget and a channel's proxy are what is asked for, and shared or found unless told`() throws
    {
        #expect(try ServerOptions(configuration: settings([:])).bufferBudget === BufferBudget.shared)
        #expect(
            try ServerOptions(configuration: settings(["server.bufferBudget": "96MiB"])).bufferBudget.limit == 96 << 20)
        #expect(try TransportOptions(configuration: settings([:])).proxy == .environment)
        #expect(try TransportOptions(configuration: settings(["client.proxy": "direct"])).proxy == .direct)
        let said = settings(["client.proxy": "http://me:hidden@proxy:3128"])
        let proxy = HTTPProxy(host: "proxy", port: 3128, credentials: "me:hidden")
        #expect(try TransportOptions(configuration: said).proxy == .through(proxy))
        #expect(!said.description.contains("hidden"))
        for wrong in ["socks5://me:hidden@proxy", "https://proxy:hidden"] {
            let error = #expect(throws: SettingsError.self) {
                try TransportOptions(configuration: settings(["client.proxy": .init(.string(wrong), isSecret: false)]))
            }
            #expect(error.map { "\($0)".contains("client.proxy") && !"\($0)".contains("hidden") } == true)
        }
        #expect(throws: SettingsError.self) {
            try ServerOptions(configuration: settings(["server.bufferBudget": "1KiB"]))
        }
    }

    @Test func `every default of the table can be said and means itself`() {
        let said = Dictionary(
            uniqueKeysWithValues: Setting.all.map { ($0.key, ConfigValue(.string($0.defaultValue), isSecret: false)) })
        let lines = settings(said).description.split(separator: "\n")
        for (line, setting) in zip(lines, Setting.all) {
            let shown = setting.isSecret ? "<redacted>" : setting.defaultValue
            #expect(line.hasSuffix("= \(shown)  (InMemoryProvider[given] \(setting.key))"), "\(line)")
        }
        #expect(lines.count == Setting.all.count)
    }

    @Test func `keys are unique and spelled as swift-configuration's are`() {
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
        for setting in Setting.all {
            #expect(setting.key.allSatisfy { $0 == "." || ($0.isASCII && $0.isLetter) }, "\(setting.key)")
            #expect(setting.meaning.hasSuffix("."), "\(setting.key)")
        }
    }

    @Test func `flags win over the environment, that over the file, and that over the default`() async throws {
        let text = """
            {"server": {"port": 1, "maximumConcurrentStreams": 1, "maximumConnections": 1, "grace": "1s"}}
            """
        try await withFile(text) { path in
            let settings = try await Settings(
                arguments: ["program", "--server-port=3", "--config-file", path],
                environment: ["APUS_SERVER_PORT": "2", "APUS_SERVER_MAXIMUM_CONCURRENT_STREAMS": "2"])
            let (listen, options) = (
                try ListenSettings(configuration: settings), try ServerOptions(configuration: settings)
            )
            #expect(listen.port == 3)
            #expect(options.maximumConcurrentStreams == 2)
            #expect(options.maximumConnections == 1)
            #expect(listen.grace == .seconds(1))
            #expect(options.maximumConnectionsPerPeer == nil)

            let origins = settings.description
            #expect(origins.contains("= 3  (flag --server-port)"))
            #expect(origins.contains("= 2  (environment APUS_SERVER_MAXIMUM_CONCURRENT_STREAMS)"))
            #expect(origins.contains("= 1  (\(path) server.maximumConnections)"))
            #expect(origins.contains("= none  (default)"))
        }
    }

    @Test func `the environment may name the file, and an empty variable is none`() async throws {
        try await withFile(#"{"server": {"port": 7}}"#) { path in
            let environment = ["APUS_CONFIG_FILE": path, "APUS_SERVER_PORT": ""]
            let settings = try await Settings(arguments: ["program"], environment: environment)
            #expect(try ListenSettings(configuration: settings).port == 7)
        }
    }

    @Test func `a file that is not there is an error`() async {
        await #expect(throws: (any Error).self) {
            _ = try await Settings(arguments: ["program", "--config-file", "/nowhere/settings.json"], environment: [:])
        }
    }

    @Test func `numbers, flags and lists of a file are read as their texts are`() async throws {
        let text = """
            {"server": {"port": "8080", "sharesPort": true, "grace": 1.5, "addresses": ["[::]:1", "unix:/run/x"]},
             "client": {"timeout": 3, "tls": {"enabled": "no", "roots": "r.pem"}}}
            """
        try await withFile(text) { path in
            let settings = try await Settings(arguments: ["program"], environment: [:], file: path)
            let listen = try ListenSettings(configuration: settings)
            #expect(listen.port == 8080)
            #expect(listen.sharesPort)
            #expect(listen.grace == .milliseconds(1500))
            #expect(listen.addresses == [.host("::", port: 1), .unix(path: "/run/x")])
            #expect(listen.targets.count == 2)
            #expect(try DefaultStack(configuration: settings).timeout == .seconds(3))
            #expect(try TransportOptions(configuration: settings).tls == nil)
        }
    }

    @Test func `a flag without a value is a yes`() async throws {
        let settings = try await Settings(arguments: ["program", "--client-tls-enabled"], environment: [:])
        #expect(try TransportOptions(configuration: settings).tls != nil)
    }

    @Test func `a scope leads to another server's settings`() throws {
        let both = settings(["server.port": 1, "internal.server.port": 2])
        #expect(try ListenSettings(configuration: both).port == 1)
        #expect(try ListenSettings(configuration: both.scoped(to: "internal")).port == 2)
        #expect(both.scoped(to: "internal").description.contains("internal.server.port"))
    }

    @Test func `a reader of one's own is asked in its scope, whatever the type of a value`() throws {
        let reader = ConfigReader(provider: memory(["shop.server.port": 9, "shop.server.grace": "2m"]))
        let listen = try ListenSettings(configuration: reader.scoped(to: "shop"))
        #expect(listen.port == 9)
        #expect(listen.grace == .seconds(120))
        #expect(try ListenSettings(configuration: reader).port == 50051)
    }
}
