// SPDX-License-Identifier: Apache-2.0

import Apus
import BenchLoad
import BenchProtos

/// The calls that are measured. Every reply is checked.
struct Calls: Sendable {
    /// Messages of a download or an upload.
    private static let streamMessages = 1000
    private static let name = "benchmark"

    private let payload: [UInt8]

    init(payload size: Int) { payload = [UInt8](repeating: UInt8(ascii: "x"), count: size) }

    func turn(_ mode: Mode, _ client: Echo.Client, _ ids: inout Ids, _ tally: inout Tally) async throws {
        switch mode {
        case .unary, .idle:
            // Here, and in no function of its own: each costs the program that measures as much as an interceptor.
            let (start, id) = (nanoseconds(), ids.next())
            try check(try await client.echo(request(id)), id)
            tally.finish(since: start, operations: 1)
        case .chat: try await chat(client, &ids, &tally)
        case .download: try await download(client, &tally)
        case .upload: try await upload(client, &tally)
        }
    }

    private func echo(_ client: Echo.Client, _ id: Int64) async throws {
        try check(try await client.echo(request(id)), id)
    }

    private func chat(_ client: Echo.Client, _ ids: inout Ids, _ tally: inout Tally) async throws {
        let call = client.chat()
        let requests = call.requests
        var id = ids.next()
        var start = nanoseconds()
        try await requests.write(request(id))
        for try await reply in try await call.responses() {
            try check(reply, id)
            tally.finish(since: start, operations: 1)
            if tally.isOver { return }
            id = ids.next()
            start = nanoseconds()
            try await requests.write(request(id))
        }
        throw WrongReply("the chat ended early")
    }

    private func download(_ client: Echo.Client, _ tally: inout Tally) async throws {
        let start = nanoseconds()
        let wanted = DownloadRequest(count: Int32(Self.streamMessages), size: Int32(payload.count))
        var messages = 0
        for try await reply in try await client.download(wanted) {
            guard reply.payload.count == payload.count else { throw WrongReply("a payload of another length") }
            messages += 1
            tally.count(1)
        }
        guard messages == Self.streamMessages else { throw WrongReply("\(messages) messages") }
        tally.finish(since: start, operations: 0)
    }

    private func upload(_ client: Echo.Client, _ tally: inout Tally) async throws {
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

    /// Makes each client's connection by a call on it and tells what the server holds after a silence.
    func idle(_ clients: [Echo.Client], server process: Int32?, seconds: Double) async throws -> Report {
        let before = process.flatMap { ProcessTimes.residentKiB(of: $0) }
        let lanes = min(64, clients.count)
        try await withThrowingTaskGroup { group in
            for lane in 0..<lanes {
                group.addTask {
                    for index in stride(from: lane, to: clients.count, by: lanes) {
                        try await echo(clients[index], Int64(index))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await Task.sleep(for: .seconds(seconds))
        let after = process.flatMap { ProcessTimes.residentKiB(of: $0) }
        return Report(idle: clients.count, before: before, after: after)
    }

    private func request(_ id: Int64) -> EchoRequest { EchoRequest(payload: payload, name: Self.name, id: id) }

    private func check(_ reply: EchoResponse, _ id: Int64) throws {
        guard reply.id == id, reply.name == Self.name, reply.payload.count == payload.count else {
            throw WrongReply("not what was sent")
        }
    }
}
