// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct DeadlineTests {
    let clock = ManualClock()
    let script = ScriptedTransport()

    private func channel(_ interceptors: any ClientInterceptor...) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, clock: clock)
    }

    private func inHandler<R>(_ remaining: Duration, _ body: () async throws -> R) async throws -> R {
        let deadline = CallDeadline(at: clock.now.advanced(by: remaining))
        return try await ServerCall.withCurrent(.inProgress(deadline: deadline)) { try await body() }
    }

    private var remaining: [Duration?] { script.calls.map { $0.deadline.remaining(at: clock.now) } }

    @Test func `over ten thousand random calls the earliest of the three moments counts, and one that passed fails`() {
        let random = SplitMixRandom(seed: 8)
        func some(_ now: MonotonicInstant) -> CallDeadline {
            guard random.index(below: 3) > 0 else { return .none }
            return CallDeadline(at: now.advanced(by: .milliseconds(random.index(below: 4000) - 500)))
        }
        for _ in 0..<10_000 {
            let now = clock.now.advanced(by: .milliseconds(random.index(below: 1000)))
            let (asked, inherited) = (some(now), some(now))
            let timeout = random.index(below: 3) > 0 ? Duration.milliseconds(random.index(below: 4000) - 500) : nil
            let margin = Duration.milliseconds(random.index(below: 100))
            var moments = [asked.remaining(at: now), timeout].compactMap { $0 }
            if let left = inherited.remaining(at: now) { moments.append(left - margin) }
            let earliest = moments.min()
            let rule = DeadlineRule(timeout: timeout, margin: margin)
            do throws(RPCError) {
                let deadline = try rule.deadline(asked: asked, inherited: inherited, now: now)
                #expect(deadline.remaining(at: now) == earliest)
                #expect(earliest.map { $0 > .zero } ?? true)
            } catch {
                #expect(error.code == .deadlineExceeded && error.progress == .notConnected)
                #expect(earliest.map { $0 <= .zero } ?? false)
            }
        }
    }

    @Test func `a call without a deadline gets the channel's`() async throws {
        script.expect().reply()
        try await channel(Deadline(.seconds(2), clock: clock)).ask()
        #expect(remaining == [.seconds(2)])
    }

    @Test func `the caller's timeout wins when it is shorter and loses when it is longer`() async throws {
        script.otherwise.reply()
        let channel = channel(Deadline(.seconds(2), clock: clock))
        try await channel.ask(CallOptions(timeout: .seconds(1)))
        try await channel.ask(CallOptions(timeout: .seconds(3)))
        #expect(remaining == [.seconds(1), .seconds(2)])
    }

    @Test func `a call made inside a handler ends no later than the handler's own`() async throws {
        script.otherwise.reply()
        let channel = channel(Deadline(.seconds(2), clock: clock))
        try await inHandler(.milliseconds(300)) { _ = try await channel.ask() }
        try await inHandler(.seconds(9)) { _ = try await channel.ask() }
        #expect(remaining == [.milliseconds(300), .seconds(2)])
    }

    @Test func `an inherited deadline needs no timeout, and outside a handler there is none`() async throws {
        script.otherwise.reply()
        let channel = channel(Deadline.inherited(clock: clock))
        try await inHandler(.milliseconds(300)) { _ = try await channel.ask() }
        try await channel.ask()
        #expect(remaining == [.milliseconds(300), nil])
    }

    @Test func `a margin leaves the handler time to answer, and holds for inherited deadlines alone`() async throws {
        script.otherwise.reply()
        let channel = channel(Deadline(.seconds(2), margin: .milliseconds(50), clock: clock))
        try await inHandler(.milliseconds(300)) { _ = try await channel.ask() }
        try await channel.ask()
        #expect(remaining == [.milliseconds(250), .seconds(2)])
        let error = await #expect(throws: RPCError.self) {
            try await inHandler(.milliseconds(50)) { _ = try await channel.ask() }
        }
        #expect(error?.message.contains("this handler serves has no time left") == true)
    }

    @Test func `over real connections a handler that is cancelled cancels the calls that it makes`() async throws {
        let (entered, cancelled) = (Gate(), Gate())
        let inner: Served.Handler = { _ in
            entered.open()
            await Gate().wait()
            cancelled.open()
            return ""
        }
        let client: [any ClientInterceptor] = [Deadline.inherited, Served.endpoints(1), RandomBalancer()]
        try await Served.run([inner], client: client) { downstream in
            try await Served.run([{ _ in try await downstream.ask() }], client: client) { upstream in
                let call = Task { try await upstream.ask() }
                await entered.wait()
                call.cancel()
                _ = await call.result
                await cancelled.wait()
            }
        }
    }

    @Test func `over real connections a call ends at its deadline, and its handler with it`() async throws {
        let (entered, ended) = (Count(), Count())
        let hang: Served.Handler = { _ in
            entered.add()
            await Gate().wait()
            ended.add()
            return "late"
        }
        let client: [any ClientInterceptor] = [Deadline(.milliseconds(50)), Served.endpoints(1), RandomBalancer()]
        try await Served.run([hang], client: client) { channel in
            // On a slow machine the time may be over before a server hears of the call.
            while entered.value == 0 {
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .deadlineExceeded)
            }
        }
        // All handlers have returned: that of a hanging call does when it is cancelled.
        #expect(ended.value == entered.value)
    }

    @Test func `a call past its deadline fails at once and sends nothing`() async throws {
        let channel = channel(Deadline(.seconds(2), clock: clock))
        let error = await #expect(throws: RPCError.self) {
            try await inHandler(.milliseconds(-1)) { _ = try await channel.ask() }
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.progress == .notConnected)
        #expect(error?.message.contains("this handler serves") == true)
        #expect(script.calls.isEmpty)
    }

    @Test(arguments: [Duration.zero, .seconds(-1)])
    func `a timeout of zero or less fails every call and says why`(timeout: Duration) async throws {
        let channel = channel(Deadline(timeout, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.message.contains("longer than zero") == true)
        #expect(script.calls.isEmpty)
    }

    @Test func `all tries of a call share one deadline`() async throws {
        script.expect().run { [clock] _ in
            clock.advance(by: .milliseconds(1500))
            throw RPCError(.unavailable, "slow")
        }
        script.expect().reply()
        let channel = channel(
            Deadline(.seconds(2), clock: clock), Retry(.exponential(initial: .zero), clock: clock))
        try await channel.ask()
        #expect(script.calls.map(\.deadline.instant).count == 2)
        #expect(script.calls[0].deadline == script.calls[1].deadline)
    }
}
