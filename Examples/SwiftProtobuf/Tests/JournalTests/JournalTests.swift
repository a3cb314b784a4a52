// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusSwiftProtobuf
import JournalProtos
import SwiftProtobuf
import Testing

/// The service as its users write it: all messages are swift-protobuf's.
private struct PaperJournal: Journal.Handler {
    func describe(_ request: Demo_Journal_V1_Entry, call: ServerCall) async throws -> Google_Protobuf_Struct {
        ["text": .init(stringValue: request.text), "seconds": .init(numberValue: Double(request.time.seconds))]
    }

    func read(
        _ request: Google_Protobuf_Int32Value, to writer: ResponseWriter<SwiftProtobufCodec<Demo_Journal_V1_Entry>>,
        call: ServerCall
    ) async throws {
        for number in 0..<request.value { try await writer.write(.at(Int64(number), "entry \(number)")) }
    }

    func write(
        _ requests: RequestStream<SwiftProtobufCodec<Demo_Journal_V1_Entry>>, call: ServerCall
    ) async throws -> Google_Protobuf_Int32Value {
        var count: Int32 = 0
        for try await _ in requests { count += 1 }
        return Google_Protobuf_Int32Value(count)
    }

    func follow(
        _ requests: RequestStream<SwiftProtobufCodec<Demo_Journal_V1_Entry>>,
        to writer: ResponseWriter<SwiftProtobufCodec<Google_Protobuf_Timestamp>>, call: ServerCall
    ) async throws {
        for try await entry in requests { try await writer.write(entry.time ?? Google_Protobuf_Timestamp()) }
    }
}

extension Optional<Google_Protobuf_Timestamp> {
    fileprivate var seconds: Int64 { self?.seconds ?? 0 }
}

extension Demo_Journal_V1_Entry {
    fileprivate static func at(_ seconds: Int64, _ text: String) -> Self {
        var entry = Self()
        (entry.text, entry.time) = (text, Google_Protobuf_Timestamp(seconds: seconds))
        return entry
    }
}

/// Messages of swift-protobuf between a client and a server.
@Suite(.timeLimit(.minutes(10))) struct JournalTests {
    /// Runs `body` with a channel to a server, over real HTTP/2, and checks that nothing is left of either.
    private func served(_ body: (Channel) async throws -> Void) async throws {
        let network = InMemoryNetwork()
        let running = try network.start(Server([PaperJournal()]), as: "journal")
        let channel = Channel(
            "journal", interceptors: [PinnedEndpoint(Endpoint(.memory("journal")))], transport: network.transport())
        try await body(channel)
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0 && running.counts.handlers == 0)
    }

    @Test func `a unary call`() async throws {
        try await served { channel in
            let answer = try await Journal.Client(channel).describe(.at(7, "é\0"))
            #expect(answer.fields["text"]?.stringValue == "é\0" && answer.fields["seconds"]?.numberValue == 7)
            let empty = try await Journal.Client(channel).describe(Demo_Journal_V1_Entry())
            #expect(empty.fields["text"]?.stringValue.isEmpty == true)
        }
    }

    @Test func `messages of a mebibyte`() async throws {
        try await served { channel in
            let text = String(repeating: "0123456789abcdef", count: 65_536)
            let answer = try await Journal.Client(channel).describe(.at(0, text))
            #expect(answer.fields["text"]?.stringValue == text)
        }
    }

    @Test func `streamed responses`() async throws {
        try await served { channel in
            var texts: [String] = []
            for try await entry in try await Journal.Client(channel).read(3) { texts.append(entry.text) }
            #expect(texts == ["entry 0", "entry 1", "entry 2"])
        }
    }

    @Test func `streamed requests`() async throws {
        try await served { channel in
            let count = try await Journal.Client(channel).write { writer in
                for number in 0..<5 { try await writer.write(.at(Int64(number), "")) }
            }
            #expect(count.value == 5)
        }
    }

    @Test func `streams both ways`() async throws {
        try await served { channel in
            let call = Journal.Client(channel).follow()
            try await call.requests.write(.at(1, "a"))
            let answers = try await call.responses()
            #expect(try await answers.next()?.seconds == 1)
            try await call.requests.write(Demo_Journal_V1_Entry())
            #expect(try await answers.next()?.seconds == 0)
            call.requests.finish()
            #expect(try await answers.next() == nil)
        }
    }

    /// A length of 127 with one byte behind it.
    private let malformed = MessageBytes([0x0A, 0x7F, 0x61])

    @Test func `a request that is no such message is INTERNAL, with its type`() async throws {
        typealias Raw = Method<BytesCodec, BytesCodec>
        try await served { channel in
            let unary = Raw(service: "demo.journal.v1.Journal", name: "Describe", kind: .unary)
            let error = await #expect(throws: RPCError.self) { try await channel.unary(unary, malformed) }
            #expect(error?.code == .internal)
            #expect(error?.message.hasPrefix("malformed demo.journal.v1.Entry: ") == true)

            let stream = Raw(service: "demo.journal.v1.Journal", name: "Write", kind: .clientStreaming)
            let streamError = await #expect(throws: RPCError.self) {
                try await channel.clientStreaming(stream) { writer in
                    try await writer.write(MessageBytes([]))
                    try await writer.write(malformed)
                }
            }
            #expect(streamError?.code == .internal)
        }
    }

    @Test func `a response that is no such message is INTERNAL, with its type`() async throws {
        try await served { channel in
            // The struct's field 1 is an entry of a map, where this message has text.
            let odd = Method<SwiftProtobufCodec<Demo_Journal_V1_Entry>, SwiftProtobufCodec<Google_Protobuf_Any>>(
                service: "demo.journal.v1.Journal", name: "Describe", kind: .unary)
            let error = await #expect(throws: RPCError.self) {
                try await channel.unary(odd, .at(-1, String(repeating: "\u{80}", count: 200)))
            }
            #expect(error?.code == .internal)
            #expect(error?.message.hasPrefix("malformed google.protobuf.Any: ") == true)
        }
    }

    @Test func `fields that nobody knows travel on`() async throws {
        var entry = try Demo_Journal_V1_Entry(serializedBytes: [0x0A, 0x01, 0x61, 0x18, 0x05])
        #expect(entry.text == "a" && entry.unknownFields.data.count == 2)
        let bytes = try SwiftProtobufCodec.encode(entry)
        entry = try SwiftProtobufCodec.decode(bytes)
        #expect(bytes.bytes == [0x0A, 0x01, 0x61, 0x18, 0x05] && entry.unknownFields.data.count == 2)
    }
}
