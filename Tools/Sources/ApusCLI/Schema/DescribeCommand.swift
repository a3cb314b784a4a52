// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Schemas

struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "A service, method, message or enum, as a .proto file would say it.",
        discussion: """
            Names are full names. Without one, all services are told.

            \u{20} apus describe localhost:50051 users.v1.Users
            \u{20} apus describe localhost:50051 users.v1.User --all
            \u{20} apus describe users.v1.Users/Register --descriptor-set users.pb
            """)

    @Argument(help: ArgumentHelp("The server (left out with files), and a name.", valueName: "address> <symbol"))
    var words: [String] = []
    @Flag(help: "Also tell the messages and enums that are used, all the way down.") var all = false
    @OptionGroup var schema: SchemaArguments
    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var call: CallArguments

    func run() async throws {
        let query = try QueryWords(words, isLocal: schema.isLocal, takesSymbol: .preferred)
        if let local = try schema.local() {
            return try show(query.symbol.map { [$0] } ?? local.services) { _ in local }
        }
        let channel = try connection.channel(to: query.address)
        defer { channel.close() }
        let client = ReflectionClient(channel, options: call.options(standard: .seconds(10)))
        let names: [String]
        if let symbol = query.symbol { names = [symbol] } else { names = try await client.services() }
        var schemas: [String: Schema] = [:]
        for name in names { schemas[name] = try await client.schema(of: name) }
        try show(names) { schemas[$0] }
    }

    private func show(_ names: [String], _ schema: (String) -> Schema?) throws {
        var isFirst = true
        for name in names {
            guard let schema = schema(name), let place = schema[name] else {
                throw RPCError(.notFound, "there is no \(name); 'apus list' tells the services")
            }
            for place in all ? schema.reach(of: place) : [place] {
                if !isFirst { StandardOutput().print("") }
                isFirst = false
                let title = Screen.harmless("// \(place.name), in \(place.file)")
                let lines = schema.protoLines(of: place).map(Screen.harmless)
                StandardOutput().print(([title] + lines).joined(separator: "\n"))
            }
        }
    }
}
