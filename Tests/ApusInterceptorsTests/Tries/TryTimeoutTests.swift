// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct TryTimeoutTests {
    private let clock = ManualClock()

    private func call(until deadline: CallDeadline) -> ClientCall {
        ClientCall(method: .unary, target: "users", request: .one(MessageBytes([])), deadline: deadline)
    }

    @Test func `over ten thousand random tries one ends at the earlier of its own time and its call's`() {
        let random = SplitMixRandom(seed: 21)
        var (own, calls) = (0, 0)
        for _ in 0..<10_000 {
            clock.advance(by: .milliseconds(random.index(below: 50)))
            let left = random.index(below: 4) == 0 ? nil : Duration.milliseconds(random.index(below: 2000) - 200)
            let deadline = left.map { CallDeadline(at: clock.now.advanced(by: $0)) } ?? .none
            let duration = Duration.milliseconds(random.index(below: 1000))
            let timeout = TryTimeout(duration: duration, clock: clock)
            let isOwn = left.map { duration < $0 } ?? true
            let end = timeout.end(before: deadline, at: clock.now)
            #expect(end?.remaining(at: clock.now) == (isOwn ? duration : nil))
            if isOwn { own += 1 } else { calls += 1 }
            // The try is asked about when it has failed: its own end has passed then, or its call's.
            let failure = RPCError(.deadlineExceeded, "late")
            clock.advance(by: (end ?? deadline).remaining(at: clock.now) ?? .zero)
            #expect(timeout.ended(failure, of: call(until: deadline)) == isOwn)
            #expect(!timeout.ended(RPCError(.unavailable, "down"), of: call(until: deadline)))
        }
        #expect(own > 3000 && calls > 2000)
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(Int64.min), .zero])
    func `times at their ends do not trap`(_ duration: Duration) {
        let timeout = TryTimeout(duration: duration, clock: clock)
        let last = MonotonicInstant(nanoseconds: .max)
        #expect((timeout.end(before: .none, at: clock.now) == nil) == (duration > .zero))
        #expect(timeout.end(before: .none, at: last) == nil || duration < .zero)
    }
}
