// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
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
