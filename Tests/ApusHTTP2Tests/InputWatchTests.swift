// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct InputWatchTests {
    private static let second: Int64 = 1_000_000_000

    private func text(_ verdict: InputWatch.Verdict) -> String? {
        if case .broken(let violation) = verdict { violation.text } else { nil }
    }

    @Test func `a peer that owes nothing is left alone`() {
        var watch = InputWatch()
        watch.received(insideFrame: false, headerBlock: nil, at: 0)
        #expect(!watch.isWaiting)
        #expect(watch.verdict(at: .max) == .idle)
    }

    @Test func `SETTINGS have to be acknowledged within 10 seconds`() {
        var watch = InputWatch()
        watch.sentSettings()
        #expect(watch.isWaiting)
        #expect(watch.verdict(at: 5) == .lookAgain(at: 10 * Self.second + 5))
        var other = watch
        #expect(text(watch.verdict(at: 10 * Self.second + 5)) == "SETTINGS not acknowledged in time")
        other.receivedSettingsAcknowledgement()
        #expect(other.verdict(at: .max) == .idle)
    }

    @Test func `the time for SETTINGS begins with a look that is due at once, whatever else is owed`() {
        var watch = InputWatch()
        // Half a preface came first, and the next look at that is far away.
        watch.received(insideFrame: true, headerBlock: nil, at: 0)
        #expect(watch.verdict(at: 0) == .lookAgain(at: 10 * Self.second) && !watch.needsLook)
        watch.sentSettings()
        #expect(watch.needsLook)
        _ = watch.verdict(at: 1)
        #expect(!watch.needsLook)
        watch.received(insideFrame: true, headerBlock: nil, at: 9 * Self.second)
        #expect(text(watch.verdict(at: 10 * Self.second + 1)) == "SETTINGS not acknowledged in time")
        watch.receivedSettingsAcknowledgement()
        #expect(!watch.needsLook)
    }

    @Test func `a frame may take for ever as long as it goes on`() {
        var watch = InputWatch()
        for step in Int64(0)..<100 {
            watch.received(insideFrame: true, headerBlock: nil, at: step * 19 * Self.second)
            #expect(watch.verdict(at: step * 19 * Self.second) == .lookAgain(at: (step * 19 + 10) * Self.second))
        }
        #expect(text(watch.verdict(at: (99 * 19 + 20) * Self.second)) == "a frame that does not go on in time")
    }

    @Test func `a header block has 10 seconds, however it goes on`() {
        var watch = InputWatch()
        for step in Int64(0)..<10 { watch.received(insideFrame: true, headerBlock: 1, at: step * Self.second) }
        #expect(watch.verdict(at: 9 * Self.second) == .lookAgain(at: 10 * Self.second))
        #expect(text(watch.verdict(at: 10 * Self.second)) == "a header block not complete in time")
    }

    @Test func `the next look comes in time for what the peer may begin meanwhile`() {
        var times = InputWatch.Times()
        (times.settings, times.headerBlock, times.frame) = (600 * Self.second, 30 * Self.second, 5 * Self.second)
        var watch = InputWatch(times)
        watch.sentSettings()
        #expect(watch.verdict(at: 0) == .lookAgain(at: 5 * Self.second))
        watch.received(insideFrame: true, headerBlock: nil, at: 2 * Self.second)
        #expect(watch.verdict(at: 5 * Self.second) == .lookAgain(at: 7 * Self.second))
        #expect(text(watch.verdict(at: 7 * Self.second)) == "a frame that does not go on in time")
    }

    @Test func `each header block has time of its own`() {
        var watch = InputWatch()
        for block in 0..<100 {
            let now = Int64(block) * Self.second
            watch.received(insideFrame: true, headerBlock: block, at: now)
            #expect(watch.verdict(at: now) == .lookAgain(at: now + 10 * Self.second))
        }
    }
}
