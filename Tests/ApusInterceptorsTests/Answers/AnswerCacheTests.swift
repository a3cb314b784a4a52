// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

extension MethodDescriptor {
    /// A method that may be answered from memory.
    static let look = MethodDescriptor(
        service: "test.Service", name: "Look", kind: .unary, idempotency: .noSideEffects)
}

extension Channel {
    /// Calls a method without side effects.
    func look(_ text: String, _ metadata: Metadata = Metadata(), timeout: Duration? = nil) async throws -> String {
        let options = CallOptions(timeout: timeout, metadata: metadata)
        let response = try await start(.look, .one(MessageBytes(text.utf8)), options: options)
        guard case .one(let bytes, _) = response.body else { return "a stream" }
        return String(decoding: bytes.bytes, as: UTF8.self)
    }
}

struct AnswerCacheTests {
    let clock = ManualClock()
    let script = ScriptedTransport()

    private func channel(_ cache: AnswerCache) -> Channel {
        Channel("users", interceptors: [cache], transport: script, clock: clock)
    }

    @Test func `an answer is given again until it is too old`() async throws {
        let channel = channel(AnswerCache(age: .seconds(10), clock: clock))
        script.expect().reply("first")
        script.expect().reply("second")
        for _ in 0..<3 { #expect(try await channel.look("a") == "first") }
        clock.advance(by: .seconds(10))
        #expect(try await channel.look("a") == "second")
    }

    @Test func `requests and metadata tell calls apart, methods with side effects and errors are not kept`()
        async throws
    {
        let cache = AnswerCache(age: .seconds(10), clock: clock)
        let channel = channel(cache)
        script.otherwise.reply("answer")
        _ = try await channel.look("a")
        _ = try await channel.look("b")
        _ = try await channel.look("a", ["authorization": "ada"])
        _ = try await channel.look("a", ["authorization": "bob"])
        #expect(script.calls.count == 4 && cache.count == 4)
        for _ in 0..<2 { try await channel.ask() }
        #expect(script.calls.count == 6 && cache.count == 4)
        script.otherwise.fail(.notFound)
        for _ in 0..<2 { await #expect(throws: RPCError.self) { try await channel.look("c") } }
        #expect(script.calls.count == 8)
    }

    @Test func `metadata that does not matter may be left out`() async throws {
        let channel = channel(AnswerCache(age: .seconds(10), distinguishing: .keys(["tenant"]), clock: clock))
        script.otherwise.reply("answer")
        _ = try await channel.look("a", ["trace": "1", "tenant": "x"])
        _ = try await channel.look("a", ["trace": "2", "tenant": "x"])
        _ = try await channel.look("a", ["trace": "2", "tenant": "y"])
        #expect(script.calls.count == 2)
    }

    @Test func `over ten thousand random steps it agrees with a plain table and keeps to its bytes`() {
        let random = SplitMixRandom(seed: 2)
        var cache = CachedAnswers(age: .seconds(10), maximumBytes: 20_000)
        var (table, now, hits) = ([Int: (text: String, until: MonotonicInstant)](), clock.now, 0)
        for step in 0..<10_000 {
            now = now.advanced(by: .milliseconds(random.index(below: 100)))
            let number = random.index(below: 150)
            let call = ClientCall(
                method: .look, target: "users", request: .one(MessageBytes("\(number)".utf8)))
            guard let key = CallKey(call, .all) else { continue }
            if let answer = cache.answer(to: key, at: now) {
                hits += 1
                guard case .one(let bytes, _) = answer.body, let known = table[number] else {
                    Issue.record("an answer that nobody gave")
                    continue
                }
                #expect(bytes == MessageBytes(known.text.utf8) && now < known.until)
            } else {
                let text = String(repeating: "\(step) ", count: random.index(below: 20))
                table[number] = (text, now.advanced(by: .seconds(10)))
                let body = ClientResponse.Body.one(MessageBytes(text.utf8), trailers: Metadata())
                cache.keep(ClientResponse(metadata: Metadata(), body: body), for: key, at: now)
            }
            #expect(cache.bytes <= 20_000)
        }
        #expect(hits > 2000)
        cache.removeAll()
        #expect(cache.bytes == 0 && cache.count == 0)
    }

    @Test func `over real connections the server is asked once`() async throws {
        let asked = Count()
        let handler: Served.Handler = { _ in "\(asked.add())" }
        let client: [any ClientInterceptor] = [
            AnswerCache(age: .seconds(3600), methods: ["/test.Service/Unary"]), Served.endpoints(1), RandomBalancer(),
        ]
        try await Served.run([handler], client: client) { channel in
            for _ in 0..<3 {
                let answer = try await channel.ask()
                #expect(answer == "1")
            }
        }
    }
}
