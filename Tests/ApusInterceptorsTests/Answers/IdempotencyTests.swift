// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Synchronization
import Testing

struct IdempotencyTests {
    let clock = ManualClock()

    private func reach(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    private func call(_ key: String, _ metadata: Metadata = Metadata(), text: String = "") -> ServerCall {
        var metadata = metadata
        metadata["idempotency-key"] = key
        return .made(metadata, text: text)
    }

    @Test func `a call that comes again gets the first answer and has no second effect`() async throws {
        let (guarded, effects) = (Idempotency(), Count())
        for _ in 0..<3 {
            let answer = try await call("k").answered(by: [guarded]) { call in
                call.setTrailers(["x-done": "yes"])
                return "\(effects.add())"
            }
            #expect(answer == "1")
        }
        let other = try await call("other").answered(by: [guarded]) { _ in "other" }
        #expect(other == "other")
        #expect(effects.value == 1)
    }

    @Test func `callers and methods have keys of their own`() async throws {
        let guarded = Idempotency()
        let another = MethodDescriptor(service: "test.Service", name: "Other", kind: .unary)
        let calls = [
            call("k"), call("k", ["authorization": "ada"]), call("k", ["authorization": "bob"]),
            .made(["idempotency-key": "k"], method: another),
            .made(["idempotency-key": "k"], identity: PeerIdentity(subject: "CN=ada")),
        ]
        for (number, call) in calls.enumerated() {
            let answer = try await call.answered(by: [guarded]) { _ in "\(number)" }
            #expect(answer == "\(number)")
        }
    }

    @Test func `a key that comes with another request is refused`() async throws {
        let guarded = Idempotency()
        try await call("k", text: "a").answered(by: [guarded]) { _ in "" }
        let error = await #expect(throws: RPCError.self) {
            try await call("k", text: "b").answered(by: [guarded]) { _ in "" }
        }
        #expect(error?.code == .invalidArgument)
        let long = await #expect(throws: RPCError.self) {
            try await call(String(repeating: "k", count: 257)).answered(by: [guarded]) { _ in "" }
        }
        #expect(long?.code == .invalidArgument)
    }

    @Test func `a handler's refusal is remembered, a failure that may pass is not`() async throws {
        let guarded = Idempotency()
        for (code, answers) in [(Status.Code.notFound, false), (.unavailable, true), (.internal, true)] {
            await #expect(throws: RPCError.self) {
                try await call("\(code)").answered(by: [guarded]) { _ in
                    throw RPCError(code, "no", metadata: ["x-why": "so"])
                }
            }
            do {
                let answer = try await call("\(code)").answered(by: [guarded]) { _ in "second" }
                #expect(answers && answer == "second")
            } catch {
                #expect(!answers && RPCError(wrapping: error).metadata["x-why"] == "so")
            }
        }
    }

    @Test func `a call that comes while the first is at work waits for its answer`() async throws {
        let (guarded, gate, effects) = (Idempotency(), Gate(), Count())
        let tasks = (0..<10).map { _ in
            Task {
                try await call("k").answered(by: [guarded]) { _ in
                    await gate.wait()
                    return "\(effects.add())"
                }
            }
        }
        let cancelled = Task { try await call("k").answered(by: [guarded]) { _ in "never" } }
        for _ in 0..<1000 { await Task.yield() }
        cancelled.cancel()
        _ = await cancelled.result
        gate.open()
        for task in tasks { #expect(try await task.value == "1") }
    }

    @Test func `when the first fails for now, one of those that wait does the work`() async throws {
        let (guarded, gate, tries) = (Idempotency(), Gate(), Count())
        let tasks = (0..<10).map { _ in
            Task {
                try await call("k").answered(by: [guarded]) { _ in
                    await gate.wait()
                    let number = tries.add()
                    if number < 3 { throw RPCError(.unavailable, "not now") }
                    return "\(number)"
                }
            }
        }
        for _ in 0..<1000 { await Task.yield() }
        gate.open()
        var failures = 0
        for task in tasks {
            do { #expect(try await task.value == "3") } catch { failures += 1 }
        }
        #expect(failures == 2)
    }

    @Test func `over ten thousand random steps answers are kept for their time and memory is bounded`() async throws {
        let memory = IdempotencyMemory(age: .seconds(10), maximumKeys: 50, clock: clock)
        let random = SplitMixRandom(seed: 5)
        var known: [String: (digest: UInt64, until: MonotonicInstant)] = [:]
        var hits = 0
        for step in 0..<10_000 {
            clock.advance(by: .milliseconds(random.index(below: 400)))
            let key = "\(random.index(below: 100))"
            if let answer = try await memory.claim(key) {
                hits += 1
                #expect(known[key].map { $0.digest == answer.requestDigest && clock.now < $0.until } == true)
            } else if random.index(below: 4) == 0 {
                memory.forget(key)
            } else {
                let answer = RememberedAnswer(
                    message: MessageBytes([]), metadata: Metadata(), trailers: Metadata(), status: .ok,
                    requestDigest: UInt64(step))
                memory.remember(answer, for: key)
                known[key] = (UInt64(step), clock.now.advanced(by: .seconds(10)))
            }
            #expect(memory.count <= 50)
        }
        #expect(hits > 1000)
    }

    @Test func `calls at work are never forgotten to make room`() async throws {
        let memory = IdempotencyMemory(maximumKeys: 2, clock: clock)
        for key in ["a", "b"] { #expect(try await memory.claim(key) == nil) }
        let error = await #expect(throws: RPCError.self) { try await memory.claim("c") }
        #expect(error?.code == .resourceExhausted)
    }

    @Test func `a call has one key for all of its tries, and its own if the caller gave it one`() async throws {
        let script = ScriptedTransport()
        script.otherwise.fail(.unavailable)
        let retry = Retry(.exponential(maxAttempts: 2, initial: .zero))
        let key = IdempotencyKey(random: SplitMixRandom(seed: 1))
        let channel = Channel("users", interceptors: [key, retry], transport: script)
        await #expect(throws: RPCError.self) { try await channel.ask() }
        await #expect(throws: RPCError.self) { try await channel.ask() }
        let keys = script.calls.compactMap { $0.metadata["idempotency-key"] }
        #expect(keys.count == 4 && keys[0] == keys[1] && keys[1] != keys[2] && keys[2] == keys[3])
        #expect(keys.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
        await #expect(throws: RPCError.self) {
            try await channel.ask(CallOptions(metadata: ["idempotency-key": "own"]))
        }
        #expect(script.calls.last?.metadata.values(of: "idempotency-key") == ["own"])
    }

    @Test func `over real connections a retried call whose answer was lost takes effect once`() async throws {
        let effects = Count()
        let handler: Served.Handler = { _ in "\(effects.add())" }
        let client: [any ClientInterceptor] = [
            IdempotencyKey(), Retry(.exponential(initial: .zero)), LosesAnswers(2), Served.endpoints(1),
            RandomBalancer(),
        ]
        try await Served.run([handler], client: client, server: [Idempotency()]) { channel in
            let answer = try await channel.ask()
            #expect(answer == "1")
        }
    }
}

/// Loses the first answers.
private final class LosesAnswers: ClientInterceptor {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let response = try await next(call)
        if left.wrappingSubtract(1, ordering: .relaxed).oldValue > 0 { throw RPCError(.unavailable, "lost") }
        return response
    }
}
