// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusCLI

struct InstanceSightTests {
    @Test func `each instance has a row, and who is away a line with the reason`() {
        var (one, two, three) = (InstanceSight("h:1"), InstanceSight("h:2"), InstanceSight("h:3"))
        one.answered(.serving, after: .milliseconds(2))
        one.load = OrcaLoadReport(cpuUtilization: 0.423, memUtilization: 0.1, rpsFractional: 1234.4, eps: 2)
        two.answered(.notServing, after: .microseconds(300))
        three.failed(RPCError(.unavailable, "connection\nrefused"), after: .zero)
        #expect(
            InstanceSight.table([one, two, three]) == [
                "INSTANCE  HEALTH          PING   CPU  MEMORY  CALLS/S  ERRORS/S",
                "h:1       SERVING      2.00 ms  42 %    10 %    1,234         2",
                "h:2       NOT_SERVING   300 µs     -       -        -         -",
                "h:3       AWAY               -     -       -        -         -",
                "", "h:3: UNAVAILABLE: connection\\nrefused",
            ])
    }

    @Test func `an instance without a health service serves when it answers`() {
        var sight = InstanceSight("h:1")
        sight.failed(RPCError(.unimplemented, "no such method"), after: .milliseconds(1))
        #expect(sight.health == .serving)
        #expect(sight.problem == "")
    }

    @Test func `who comes back has no reason any more, and who goes away no load`() {
        var sight = InstanceSight("h:1")
        sight.load = OrcaLoadReport(cpuUtilization: 1)
        sight.failed(RPCError(.unavailable, "gone"), after: .zero)
        #expect(sight.load == nil)
        sight.answered(.serving, after: .zero)
        #expect((sight.health, sight.problem) == (.serving, ""))
    }

    @Test(arguments: [Double.nan, .infinity, -1, 1e300])
    func `numbers without sense are left out`(number: Double) {
        var sight = InstanceSight("h:1")
        sight.load = OrcaLoadReport(cpuUtilization: number, rpsFractional: number, eps: number)
        #expect(InstanceSight.table([sight])[1].contains("-"))
    }
}
