// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Schemas

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The services of a server, or the methods of one of them.",
        discussion: """
            The server is asked by reflection, unless files say what there is.

            \u{20} apus list localhost:50051
            \u{20} apus list localhost:50051 users.v1.Users
            \u{20} apus list --proto proto/users.proto -I proto
            """)

    @Argument(help: ArgumentHelp("The server; left out with files.", valueName: "address")) var words: [String] = []
    @OptionGroup var schema: SchemaArguments
    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var call: CallArguments

    func run() async throws {
        let query = try QueryWords(words, isLocal: schema.isLocal, takesSymbol: .optional)
        for line in try await lines(query) { StandardOutput().print(Screen.harmless(line)) }
    }

    private func lines(_ query: QueryWords) async throws -> [String] {
        guard let local = try schema.local() else {
            let channel = try connection.channel(to: query.address)
            defer { channel.close() }
            let client = ReflectionClient(channel, options: call.options(standard: .seconds(10)))
            guard let service = query.symbol else { return try await client.services() }
            return try Self.methods(of: service, in: await client.schema(of: service))
        }
        guard let service = query.symbol else { return local.services }
        return try Self.methods(of: service, in: local)
    }

    private static func methods(of service: String, in schema: Schema) throws -> [String] {
        guard let methods = schema.signatures(of: service) else {
            throw RPCError(.notFound, "\(service) is no service; 'apus describe' tells what it is")
        }
        return methods.map(\.signature)
    }
}
