// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Schemas

/// Where the types come from: the server's reflection unless files are named.
struct SchemaArguments: ParsableArguments {
    @Option(
        name: .customLong("proto"),
        help: ArgumentHelp(
            "Read this .proto file (with protoc) instead of asking the server; may be repeated.", valueName: "file"))
    var protoFiles: [String] = []
    @Option(
        name: [.customShort("I"), .customLong("proto-path")],
        help: ArgumentHelp("Where .proto files find their imports; may be repeated.", valueName: "folder"))
    var imports: [String] = []
    @Option(help: ArgumentHelp("Read what protoc --descriptor_set_out wrote.", valueName: "file"))
    var descriptorSet: String?

    func validate() throws {
        guard protoFiles.isEmpty || descriptorSet == nil else {
            throw ValidationError("Either --proto or --descriptor-set.")
        }
    }

    /// Whether no server is asked.
    var isLocal: Bool { !protoFiles.isEmpty || descriptorSet != nil }

    /// What the files say; nil when none are named.
    func local() throws(Mistake) -> Schema? {
        if let descriptorSet {
            return try Mistake.finding { () throws(RPCError) in try Schema(descriptorSet: descriptorSet) }
        }
        guard !protoFiles.isEmpty else { return nil }
        return try Mistake.finding { () throws(RPCError) in try Schema(proto: protoFiles, imports: imports) }
    }

    /// What is known of the service of a method, given as `Service/Method` or `Service.Method`.
    func schema(ofMethod method: String, from channel: Channel, _ options: CallOptions) async throws -> Schema {
        let end = method.lastIndex(of: "/") ?? method.lastIndex(of: ".")
        return try await schema(of: String(end.map { method[..<$0] } ?? method[...]), from: channel, options)
    }

    /// What is known of a symbol: from the files, else from the server.
    func schema(of symbol: String, from channel: Channel, _ options: CallOptions) async throws -> Schema {
        if let local = try local() { return local }
        return try await ReflectionClient(channel, options: options).schema(of: symbol)
    }
}
