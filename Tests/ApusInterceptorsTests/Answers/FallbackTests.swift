// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

private enum TextCodec: MessageCodec {
    static func encode(_ message: String) throws(RPCError) -> MessageBytes { MessageBytes(message.utf8) }
    static func decode(_ bytes: MessageBytes) throws(RPCError) -> String {
        String(decoding: bytes.bytes, as: UTF8.self)
    }
}

struct FallbackTests {
    let script = ScriptedTransport()
    private let method = Method<TextCodec, TextCodec>(service: "test.Service", name: "Unary", kind: .unary)

    private func channel(_ fallback: Fallback) -> Channel {
        Channel("users", interceptors: [fallback], transport: script)
    }

    @Test func `a value answers the failures of its method, and a success passes`() async throws {
        let channel = channel(Fallback(of: method, value: "kept"))
        script.expect().fail(.unavailable)
        #expect(try await channel.unary(method, "ask").message == "kept")
        script.expect().fail(.notFound)
        let error = await #expect(throws: RPCError.self) { try await channel.unary(method, "ask") }
        #expect(error?.code == .notFound)
        script.expect().reply("fresh")
        #expect(try await channel.unary(method, "ask").message == "fresh")
        script.expect().fail(.unavailable)
        let other = Method<TextCodec, TextCodec>(service: "test.Service", name: "Other", kind: .unary)
        await #expect(throws: RPCError.self) { try await channel.unary(other, "ask") }
    }

    @Test func `over ten thousand random failures it answers those of its codes and methods, and no others`() async {
        let random = SplitMixRandom(seed: 4)
        let codes: [Status.Code] = [.unavailable, .deadlineExceeded, .notFound, .internal, .unknown]
        let asked: Set<Status.Code> = [.unavailable, .unknown]
        let channel = channel(
            Fallback(after: asked, methods: [MethodDescriptor.unary.path]) { _, _ in
                ClientResponse(metadata: Metadata(), body: .one(MessageBytes("kept".utf8), trailers: Metadata()))
            })
        for _ in 0..<10_000 {
            let code = codes[random.index(below: codes.count)]
            let isOther = random.index(below: 4) == 0
            script.expect().fail(code)
            let other = MethodDescriptor(service: "test.Service", name: "Other", kind: .unary)
            do {
                _ = try await channel.start(isOther ? other : .unary, .one(MessageBytes([])))
                #expect(asked.contains(code) && !isOther)
            } catch {
                #expect(error.code == code)
                #expect(!asked.contains(code) || isOther)
            }
        }
    }

    @Test func `a fallback that fails leaves the call its failure, with a note`() async throws {
        let channel = channel(Fallback { _, _ in throw RPCError(.notFound, "nothing kept") })
        script.expect().fail(.unavailable)
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.description == "UNAVAILABLE: scripted (its fallback failed: NOT_FOUND: nothing kept)")
    }

    @Test func `a streamed request that was read is not sent to another channel`() async throws {
        let second = ScriptedTransport()
        second.otherwise.reply("second")
        let channel = channel(Fallback(to: Channel("second", interceptors: [], transport: second)))
        script.otherwise.run { call in
            if case .stream(let source) = call.request { _ = try await source.next() }
            throw RPCError(.unavailable, "scripted")
        }
        let pipe = MessagePipe()
        try await pipe.write(MessageBytes("one".utf8))
        await #expect(throws: RPCError.self) { try await channel.start(.clientStreaming, .stream(pipe)) }
        #expect(second.calls.isEmpty)
    }

    @Test func `over real connections another service answers when the first one cannot`() async throws {
        try await Served.run([{ _ in "second" }], client: [Served.endpoints(1), RandomBalancer()]) { second in
            let client: [any ClientInterceptor] = [Fallback(to: second), Served.endpoints(1), RandomBalancer()]
            try await Served.run([{ _ in throw RPCError(.unavailable, "down") }], client: client) { first in
                let answer = try await first.ask()
                #expect(answer == "second")
            }
        }
    }
}
