// SPDX-License-Identifier: Apache-2.0

import BenchLoad
import EchoProtos
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2

typealias EchoClient = Bench_Echo.Client<HTTP2ClientTransport.Posix>

/// The calls that are measured. Every reply is checked.
struct Calls: Sendable {
    private static let streamMessages = 1000
    private static let name = "benchmark"

    private let payload: Data

    init(payload size: Int) { payload = Data(repeating: UInt8(ascii: "x"), count: size) }

    func turn(_ mode: Mode, _ client: EchoClient, _ ids: inout Ids, _ tally: inout Tally) async throws {
        switch mode {
        case .unary, .idle: try await unary(client, &ids, &tally)
        case .chat: (ids, tally) = try await chat(client, ids, tally)
        case .download: tally = try await download(client, tally)
        case .upload: try await upload(client, &tally)
        }
    }

    private func unary(_ client: EchoClient, _ ids: inout Ids, _ tally: inout Tally) async throws {
        let start = nanoseconds()
        let id = ids.next()
        try check(try await client.echo(request(id)), id)
        tally.finish(since: start, operations: 1)
    }

    // The writer and the reader are closures that run side by side: each message that has come back lets one go.
    private func chat(_ client: EchoClient, _ first: Ids, _ before: Tally) async throws -> (Ids, Tally) {
        let (turns, next) = AsyncStream.makeStream(of: Int64.self)
        return try await client.chat { writer in
            for await id in turns { try await writer.write(request(id)) }
        } onResponse: { response in
            defer { next.finish() }
            var (ids, tally) = (first, before)
            var (id, start) = (ids.next(), nanoseconds())
            next.yield(id)
            for try await reply in response.messages {
                try check(reply, id)
                tally.finish(since: start, operations: 1)
                if tally.isOver { return (ids, tally) }
                (id, start) = (ids.next(), nanoseconds())
                next.yield(id)
            }
            throw WrongReply("the chat ended early")
        }
    }

    private func download(_ client: EchoClient, _ before: Tally) async throws -> Tally {
        let start = nanoseconds()
        let wanted = Bench_DownloadRequest.with {
            $0.count = Int32(Self.streamMessages)
            $0.size = Int32(payload.count)
        }
        return try await client.download(wanted) { response in
            var (tally, messages) = (before, 0)
            for try await reply in response.messages {
                guard reply.payload.count == payload.count else { throw WrongReply("a payload of another length") }
                messages += 1
                tally.count(1)
                if tally.isOver { return tally }
            }
            guard messages == Self.streamMessages else { throw WrongReply("\(messages) messages") }
            tally.finish(since: start, operations: 0)
            return tally
        }
    }

    private func upload(_ client: EchoClient, _ tally: inout Tally) async throws {
        let start = nanoseconds()
        let message = request(1 << 28)
        let summary = try await client.upload { writer in
            for _ in 0..<Self.streamMessages { try await writer.write(message) }
        }
        guard summary.messages == Self.streamMessages, summary.bytes == Self.streamMessages * payload.count else {
            throw WrongReply("another summary")
        }
        tally.finish(since: start, operations: Self.streamMessages)
    }

    private func request(_ id: Int64) -> Bench_EchoRequest {
        .with {
            $0.payload = payload
            $0.name = Self.name
            $0.id = id
        }
    }

    private func check(_ reply: Bench_EchoResponse, _ id: Int64) throws {
        guard reply.id == id, reply.name == Self.name, reply.payload.count == payload.count else {
            throw WrongReply("not what was sent")
        }
    }
}
