// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

struct FaultInjectionTests {
    let clock = ManualClock()
    let script = ScriptedTransport()

    @Test func `over ten thousand calls the share that is struck is the one asked for`() {
        let random = SplitMixRandom(seed: 3)
        let fault = Fault(share: 0.05)
        let struck = (0..<10_000).count { _ in fault.strikes(.unary, Metadata(), random) }
        #expect((430...570).contains(struck))
        #expect(!(0..<1000).contains { _ in Fault(share: 0).strikes(.unary, Metadata(), random) })
        #expect((0..<1000).allSatisfy { _ in Fault().strikes(.unary, Metadata(), random) })
    }

    @Test func `methods and metadata choose the calls`() {
        let random = SplitMixRandom(seed: 3)
        #expect(!Fault(methods: ["/other/Method"]).strikes(.unary, Metadata(), random))
        #expect(Fault(methods: ["/test.Service/Unary"]).strikes(.unary, Metadata(), random))
        let drill = Fault(header: ("x-drill", "down"))
        #expect(drill.strikes(.unary, ["x-drill": "down"], random))
        #expect(!drill.strikes(.unary, ["x-drill": "up"], random))
        #expect(!drill.strikes(.unary, Metadata(), random))
        #expect(Fault(header: ("x-drill", nil)).strikes(.unary, ["x-drill": "up"], random))
    }

    @Test func `delays are spread over their range, and ranges at the ends do not trap`() {
        let random = SplitMixRandom(seed: 3)
        let fault = Fault(delay: .seconds(1) ... .seconds(3))
        let delays = (0..<10_000).compactMap { _ in fault.delay(random) }
        #expect(delays.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(3) })
        #expect(delays.count { $0 < .seconds(2) } > 4700)
        _ = Fault(delay: .nanoseconds(Int64.min) ... .nanoseconds(Int64.max)).delay(random)
    }

    @Test func `a call is held up, then ends as the fault says, or at its deadline`() async throws {
        let status = Status(.unavailable, "a drill")
        let faults = FaultInjection([Fault(delay: .seconds(1) ... .seconds(1), abort: status)], clock: clock)
        let channel = Channel("users", interceptors: [faults], transport: script, clock: clock)
        for (timeout, code) in [(Duration?.none, Status.Code.unavailable), (.milliseconds(500), .deadlineExceeded)] {
            let call = Task { try await channel.ask(CallOptions(timeout: timeout)) }
            await clock.waitForSleepers()
            clock.advance(by: timeout ?? .seconds(1))
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == code)
        }
        #expect(script.calls.isEmpty)
    }

    /// Every sleep is over at once, and the clock stands at its end.
    private final class JumpingClock: MonotonicClock {
        private let nanoseconds = Atomic<Int64>(1_000_000_000)
        var now: MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

        func sleep(until deadline: MonotonicInstant) async throws {
            if deadline > now { nanoseconds.store(deadline.nanoseconds, ordering: .relaxed) }
        }
    }

    /// What the three faults below make of a call, worked out by hand.
    private func expected(
        _ isDrill: Bool, _ timeout: Duration?, _ draws: SplitMixRandom
    ) -> (code: Status.Code, after: Double) {
        let limit = timeout.map { $0 / .seconds(1) } ?? .infinity
        var waited = 0.0
        if draws.unit() < 0.3 { waited = min(limit, 1 + 2 * draws.unit()) }
        if waited >= limit { return (.deadlineExceeded, waited) }
        if draws.unit() < 0.2 { return (.unavailable, waited) }
        guard isDrill else { return (.ok, waited) }
        _ = draws.unit()
        waited = min(limit, waited + 0.5)
        return (waited >= limit ? .deadlineExceeded : .dataLoss, waited)
    }

    @Test func `over ten thousand random calls each is held up and ends as the faults that were drawn say`() async {
        let (draws, random, clock) = (SplitMixRandom(seed: 8), SplitMixRandom(seed: 9), JumpingClock())
        let faults = FaultInjection(
            [
                Fault(share: 0.3, delay: .seconds(1) ... .seconds(3)),
                Fault(share: 0.2, abort: Status(.unavailable, "a drill")),
                Fault(methods: ["/other/Method"], abort: Status(.internal, "not this one")),
                Fault(
                    header: ("x-drill", "loss"), delay: .milliseconds(500) ... .milliseconds(500),
                    abort: Status(.dataLoss, "a drill")),
            ], random: SplitMixRandom(seed: 8), clock: clock)
        script.otherwise.reply()
        let channel = Channel("users", interceptors: [faults], transport: script, clock: clock)
        var seen: [Status.Code: Int] = [:]
        for _ in 0..<10_000 {
            let isDrill = random.index(below: 4) == 0
            let timeout = random.index(below: 2) == 0 ? Duration.milliseconds(1 + random.index(below: 4000)) : nil
            let expected = expected(isDrill, timeout, draws)
            let start = clock.now
            let options = CallOptions(timeout: timeout, metadata: isDrill ? ["x-drill": "loss"] : ["x-drill": "none"])
            var code = Status.Code.ok
            do throws(RPCError) { try await channel.ask(options) } catch { code = error.code }
            #expect(code == expected.code)
            #expect(abs(start.duration(to: clock.now) / .seconds(1) - expected.after) < 1e-6)
            seen[code, default: 0] += 1
        }
        #expect(script.calls.count == seen[.ok])
        #expect([.ok, .unavailable, .deadlineExceeded, .dataLoss].allSatisfy { (seen[$0] ?? 0) > 300 })
    }

    @Test func `over real connections a server fails the calls of a drill, and no others`() async throws {
        let faults = FaultInjection([Fault(header: ("x-drill", nil), abort: Status(.dataLoss, "a drill"))])
        try await Served.run(
            [{ _ in "served" }], client: [Served.endpoints(1), RandomBalancer()], server: [faults]
        ) { channel in
            try await channel.ask()
            let drilled = CallOptions(metadata: ["x-drill": "1"])
            let error = await #expect(throws: RPCError.self) { try await channel.ask(drilled) }
            #expect(error?.status == Status(.dataLoss, "a drill"))
        }
    }
}
