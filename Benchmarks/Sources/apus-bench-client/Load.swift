// SPDX-License-Identifier: Apache-2.0

import Apus
import BenchProtos
import Synchronization

/// What is called, and with what.
struct Load: Sendable {
    /// Messages of a download or an upload.
    static let streamMessages = 1000
    static let name = "benchmark"
    // More than these are no accident.
    private static let mostErrors = 1000

    let mode: Mode
    let payload: [UInt8]
    let phase = PhaseFlag()

    init(_ mode: Mode, payload size: Int) {
        self.mode = mode
        payload = [UInt8](repeating: UInt8(ascii: "x"), count: size)
    }

    /// A closed loop: the next call begins when the last one has ended, until the phase is over.
    func lane(_ number: Int, on client: Echo.Client) async -> Tally {
        var tally = Tally(phase)
        // Ids of five bytes on the wire, no two lanes' alike.
        var id = Int64(1) << 28 + Int64(number) << 32
        while !tally.isOver, tally.errors < Self.mostErrors {
            do {
                try await turn(client, &id, &tally)
            } catch {
                tally.fail(error)
            }
        }
        return tally
    }

    private func turn(_ client: Echo.Client, _ id: inout Int64, _ tally: inout Tally) async throws {
        switch mode {
        case .unary, .idle: try await unary(client, &id, &tally)
        case .chat: try await chat(client, &id, &tally)
        case .download: try await download(client, &tally)
        case .upload: try await upload(client, &tally)
        }
    }

    func unary(_ client: Echo.Client, _ id: inout Int64, _ tally: inout Tally) async throws {
        id += 1
        let start = nanoseconds()
        try check(try await client.echo(request(id)), id)
        tally.finish(since: start, operations: 1)
    }

    private func chat(_ client: Echo.Client, _ id: inout Int64, _ tally: inout Tally) async throws {
        let call = client.chat()
        let requests = call.requests
        id += 1
        var start = nanoseconds()
        try await requests.write(request(id))
        for try await reply in try await call.responses() {
            try check(reply, id)
            tally.finish(since: start, operations: 1)
            if tally.isOver { return }
            id += 1
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
            tally.count(operations: 1)
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

    private func request(_ id: Int64) -> EchoRequest { EchoRequest(payload: payload, name: Self.name, id: id) }

    private func check(_ reply: EchoResponse, _ id: Int64) throws {
        guard reply.id == id, reply.name == Self.name, reply.payload.count == payload.count else {
            throw WrongReply("not what was sent")
        }
    }
}

/// An answer that is none.
struct WrongReply: Error, CustomStringConvertible {
    let description: String
    init(_ text: String) { description = "wrong reply: \(text)" }
}

/// Warm-up, measurement, end: what all lanes look at.
final class PhaseFlag: Sendable {
    enum Phase: UInt8, AtomicRepresentable {
        case warmUp, measurement, over
    }

    private let flag = Atomic<Phase>(.warmUp)

    var current: Phase { flag.load(ordering: .relaxed) }

    func begin(_ phase: Phase) { flag.store(phase, ordering: .relaxed) }
}
