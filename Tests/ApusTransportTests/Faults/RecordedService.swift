// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The four kinds of call, each with a few messages that are all different.
enum CallKind: String, CaseIterable, Codable, Sendable {
    case unary, clientStreaming, serverStreaming, bidirectional

    private static let streamed = 3

    var requests: Int { self == .clientStreaming || self == .bidirectional ? Self.streamed : 1 }
    var responses: Int { self == .serverStreaming || self == .bidirectional ? Self.streamed : 1 }

    func messages(_ direction: Direction) -> Int { direction == .toServer ? requests : responses }
}

/// A service whose handlers note what they got and how they ended.
struct RecordedService: Service {
    static let messageSize = 1000
    /// With gRPC's prefix.
    static let frameSize = messageSize + MessageBytes.prefixSize

    static func request(_ index: Int) -> MessageBytes {
        MessageBytes([UInt8](repeating: UInt8(1 + index), count: messageSize))
    }

    static func response(_ index: Int) -> MessageBytes {
        MessageBytes([UInt8](repeating: UInt8(101 + index), count: messageSize))
    }

    static func method(_ kind: CallKind) -> BytesMethod {
        switch kind {
        case .unary: BytesMethod(service: "test.Recorded", name: "Unary", kind: .unary)
        case .clientStreaming: BytesMethod(service: "test.Recorded", name: "Collect", kind: .clientStreaming)
        case .serverStreaming: BytesMethod(service: "test.Recorded", name: "Repeat", kind: .serverStreaming)
        case .bidirectional: BytesMethod(service: "test.Recorded", name: "Chat", kind: .bidirectional)
        }
    }

    /// What the handlers of a service did.
    final class Record: Sendable {
        struct Entry {
            var kind: CallKind
            var requests: [MessageBytes] = []
            /// nil while the handler runs; then its error, or none.
            var end: RPCError??

            var isFinished: Bool { if case .some(.none) = end { true } else { false } }
            var isFailed: Bool { if case .some(.some) = end { true } else { false } }
        }

        private let entries = Mutex<[Entry]>([])

        var all: [Entry] { entries.withLock { $0 } }

        func forget() { entries.withLock { $0 = [] } }

        func handle<R>(
            _ kind: CallKind, _ body: ((MessageBytes) -> Void) async throws -> R
        ) async throws -> R {
            let index = entries.withLock { entries in
                entries.append(Entry(kind: kind))
                return entries.count - 1
            }
            do {
                let result = try await body { message in entries.withLock { $0[index].requests.append(message) } }
                entries.withLock { $0[index].end = .some(.none) }
                return result
            } catch {
                entries.withLock { $0[index].end = .some(.some(RPCError(wrapping: error))) }
                throw error
            }
        }
    }

    let record = Record()

    var routes: [Route] {
        [
            .unary(Self.method(.unary)) { request, _ in
                try await record.handle(.unary) { note in
                    note(request)
                    return Self.response(0)
                }
            },
            .clientStreaming(Self.method(.clientStreaming)) { requests, _ in
                try await record.handle(.clientStreaming) { note in
                    while let request = try await requests.next() { note(request) }
                    return Self.response(0)
                }
            },
            .serverStreaming(Self.method(.serverStreaming)) { request, writer, _ in
                try await record.handle(.serverStreaming) { note in
                    note(request)
                    for index in 0..<CallKind.serverStreaming.responses { try await writer.write(Self.response(index)) }
                }
            },
            .bidirectional(Self.method(.bidirectional)) { requests, writer, _ in
                try await record.handle(.bidirectional) { note in
                    var index = 0
                    while let request = try await requests.next() {
                        note(request)
                        try await writer.write(Self.response(index))
                        index += 1
                    }
                }
            },
        ]
    }
}

/// How a call of the recorded service ended at its client, and what it got.
struct RecordedCall: Sendable {
    var code = Status.Code.ok
    var message = ""
    var responses: [MessageBytes] = []

    /// Makes a call; in a chat each message is answered before the next.
    init(_ kind: CallKind, on channel: Channel, _ options: CallOptions) async {
        do {
            switch kind {
            case .unary:
                let request = RecordedService.request(0)
                let answer = try await channel.unary(RecordedService.method(kind), request, options: options)
                responses.append(answer.message)
            case .clientStreaming:
                let answer = try await channel.clientStreaming(RecordedService.method(kind), options: options) {
                    for index in 0..<kind.requests { try await $0.write(RecordedService.request(index)) }
                }
                responses.append(answer.message)
            case .serverStreaming:
                let stream = try await channel.serverStreaming(
                    RecordedService.method(kind), RecordedService.request(0), options: options)
                while let response = try await stream.next() { responses.append(response) }
            case .bidirectional: try await chat(channel, options)
            }
        } catch {
            code = RPCError(wrapping: error).code
            message = "\(error)"
        }
    }

    private mutating func chat(_ channel: Channel, _ options: CallOptions) async throws {
        let kind = CallKind.bidirectional
        let call: BidirectionalCall<BytesCodec, BytesCodec> = channel.bidirectional(
            RecordedService.method(kind), options: options)
        var stream: ResponseStream<BytesCodec>?
        for index in 0..<kind.requests {
            // A write that fails because the call has ended: the reader hears why.
            try? await call.requests.write(RecordedService.request(index))
            if stream == nil { stream = try await call.responses() }
            guard let response = try await stream?.next() else { return }
            responses.append(response)
        }
        call.requests.finish()
        while let response = try await stream?.next() { responses.append(response) }
    }
}
