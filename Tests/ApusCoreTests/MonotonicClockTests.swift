// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

struct MonotonicClockTests {
    private let now = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test(arguments: [
        (Int64.max, Duration.seconds(1), Int64.max), (.max, .seconds(-1), .max - 1_000_000_000),
        (.min, .seconds(-1), .min), (0, .seconds(Int64.max), .max), (0, .seconds(Int64.min), .min),
        (5, .nanoseconds(-7), -2), (0, .seconds(9_223_372_036), 9_223_372_036_000_000_000),
    ])
    func `moments are held at the ends of their range`(start: Int64, by: Duration, end: Int64) {
        #expect(MonotonicInstant(nanoseconds: start).advanced(by: by).nanoseconds == end)
    }

    @Test func `distances are held at the ends of their range too`() {
        let (first, last) = (MonotonicInstant(nanoseconds: .min), MonotonicInstant(nanoseconds: .max))
        #expect(first.duration(to: last) == .nanoseconds(Int64.max))
        #expect(last.duration(to: first) == .nanoseconds(Int64.min))
        #expect(now.duration(to: now.advanced(by: .seconds(-3))) == .seconds(-3))
    }

    @Test(arguments: [
        (Int128(0), Int64(0)), (1, 0), (999_999_999, 0), (1_000_000_000, 1), (1_000_000_001, 1), (-1, 0),
        (-1_000_000_000, -1), (-1_999_999_999, -1), (512, 0), (1_953_125, 0),
        (Int128(Int64.max) * 1_000_000_000, .max), (Int128(Int64.max) * 1_000_000_000 + 999_999_999, .max),
        ((Int128(Int64.max) + 1) * 1_000_000_000, .max), ((Int128(1) << 64) * 1_000_000_000, .max),
        (Int128(Int64.min) * 1_000_000_000, .min), ((Int128(Int64.min) - 1) * 1_000_000_000, .min),
        (.max, .max), (.min, .min),
    ])
    func `durations are cut to whole nanoseconds and held at the range's ends`(attoseconds: Int128, whole: Int64) {
        #expect(Duration(attoseconds: attoseconds).saturatedNanoseconds == whole)
    }

    @Test func `no deadline never passes and is later than any other`() {
        let last = MonotonicInstant(nanoseconds: .max)
        #expect(CallDeadline.none.isNone)
        #expect(!CallDeadline.none.hasPassed(at: last))
        #expect(CallDeadline.none.remaining(at: now) == nil)
        #expect(CallDeadline(at: now) < .none)
    }

    @Test func `a deadline has passed from its moment on`() {
        let deadline = CallDeadline(at: now)
        #expect(!deadline.hasPassed(at: now.advanced(by: .nanoseconds(-1))))
        #expect(deadline.hasPassed(at: now))
        #expect(deadline.remaining(at: now.advanced(by: .seconds(2))) == .seconds(-2))
    }

    @Test func `a timeout that overflows is no deadline`() async throws {
        let script = ScriptedTransport()
        script.otherwise.reply()
        let channel = Channel("users", interceptors: [], transport: script, clock: ManualClock())
        try await channel.ask(CallOptions(timeout: .seconds(Int64.max)))
        #expect(script.calls.map(\.deadline.isNone) == [true])
    }

    @Test func `the machine's clock does not go back`() {
        let clock = SystemClock()
        var last = clock.now
        for _ in 0..<10_000 {
            let next = clock.now
            #expect(next >= last)
            last = next
        }
    }

    @Test func `a cancelled sleep ends at once`() async {
        let sleeper = Task { try await SystemClock().sleep(until: SystemClock().now.advanced(by: .seconds(3600))) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }
}
