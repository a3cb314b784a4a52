// SPDX-License-Identifier: Apache-2.0

import Apus

/// A server of Python's gRPC in a process of its own, and a client of ours to it.
struct GrpcioServer {
    let process: PeerProcess
    let channel: Channel
    let client: Peer.Client

    private init(options: TransportOptions) async throws {
        process = try PeerProcess(python: "Tests/Peers/server.py")
        let line = try await process.firstLine()
        guard let port = Int(line) else { throw RPCError(.internal, "server.py printed \(line)") }
        channel = Channel(to: .host("127.0.0.1", port: port), options: options)
        client = Peer.Client(channel)
    }

    /// Runs `body` with a server, and ends both sides after it.
    static func run(
        options: TransportOptions = TransportOptions(), _ body: (GrpcioServer) async throws -> Void
    ) async throws {
        let server = try await GrpcioServer(options: options)
        defer {
            server.channel.close()
            server.process.stop()
        }
        try await body(server)
    }

    /// Follows the stages of a call that starts after this has returned.
    func watch(_ name: String) async throws -> StageWatch {
        try await StageWatch(name, client)
    }
}

/// The stages of a named call, as its server tells them.
struct StageWatch {
    private let stages: ResponseStream<ProtobufCodec<WatchReply>>

    fileprivate init(_ name: String, _ client: Peer.Client) async throws {
        stages = try await client.watch(WatchRequest(name: name))
        guard try await next() == .watched else { throw RPCError(.internal, "the watch did not say that it began") }
    }

    /// The next stage, when it is reached; nil after the last.
    func next() async throws -> Stage? { try await stages.next()?.stage }
}
