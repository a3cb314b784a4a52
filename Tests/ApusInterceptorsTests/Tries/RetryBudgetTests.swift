// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

struct RetryBudgetTests {
    let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test func `five calls earn one retry, besides those that each second brings`() {
        let budget = RetryBudget(share: 0.2, perSecond: 1, saved: 10)
        #expect(budget.takeRetry(at: start))
        #expect(!budget.takeRetry(at: start))
        for _ in 0..<5 {
            #expect(!budget.takeRetry(at: start))
            budget.callStarted()
        }
        #expect(budget.takeRetry(at: start))
        #expect(!budget.takeRetry(at: start))
        #expect(budget.takeRetry(at: start.advanced(by: .seconds(1))))
    }

    @Test func `calls of the past are saved up to a limit`() {
        let budget = RetryBudget(share: 0.5, perSecond: 0.001, saved: 3)
        _ = budget.takeRetry(at: start)
        for _ in 0..<1000 { budget.callStarted() }
        #expect((0..<10).count { _ in budget.takeRetry(at: start) } == 3)
    }

    @Test func `over ten thousand calls that all fail the retries are a fifth of them and ten a second`() {
        let budget = RetryBudget()
        let random = SplitMixRandom(seed: 3)
        var (now, retries) = (start, 0)
        for _ in 0..<10_000 {
            now = now.advanced(by: .microseconds(random.index(below: 2000)))
            budget.callStarted()
            for _ in 0..<3 where budget.takeRetry(at: now) { retries += 1 }
        }
        let seconds = Double(start.duration(to: now).saturatedNanoseconds) / 1e9
        let allowed = 2000 + 10 * seconds
        #expect(Double(retries) <= allowed + 11)
        #expect(Double(retries) >= allowed - 11)
    }

    @Test func `a channel's calls share one budget and the error says when it is spent`() async throws {
        let script = ScriptedTransport()
        script.otherwise.fail(.unavailable)
        let clock = ManualClock()
        let retry = Retry(
            .exponential(maxAttempts: 4, initial: .zero), budget: RetryBudget(share: 0.2, perSecond: 1), clock: clock)
        let channel = Channel("users", interceptors: [retry], transport: script, clock: clock)
        for _ in 0..<9 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        // Nine calls, one retry of the second, and one for five calls.
        #expect(script.calls.count == 11)
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.notes == ["attempt 2 of 4", "the channel's retry budget is spent"])
    }
}
