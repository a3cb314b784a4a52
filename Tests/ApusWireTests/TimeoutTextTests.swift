// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct TimeoutTextTests {
    private var text = TimeoutText()

    private mutating func next(_ nanoseconds: Int64) -> String {
        let isKnown = text.become(nanoseconds: nanoseconds)
        return String(decoding: text.bytes, as: UTF8.self) + (isKnown ? " again" : "")
    }

    @Test mutating func `calls with one timeout share its text, however much of it has passed on the way`() {
        #expect(next(9_999_990_000) == "10000000u")
        #expect(next(9_999_123_000) == "10000000u again")
        #expect(next(10_000_000_000) == "10000000u again")
        #expect(next(9_900_000_000) == "10000000u again")
        #expect(next(9_899_999_999) == "9900000u")
        #expect(next(10_000_000_001) == "10100000u")
        #expect(next(0) == "0n")
        #expect(next(0) == "0n again")
        #expect(next(-1) == "0n")
    }

    @Test mutating func `no text is shorter than the time that is left, or longer by more than a hundredth`() throws {
        let random = SplitMixRandom(seed: 5)
        for _ in 0..<10_000 {
            let time = Int64(random.index(below: 1 << 40))
            _ = text.become(nanoseconds: time)
            let read = try #require(text.bytes.withUnsafeBytes { TimeoutEncoding.decode($0) })
            guard read < time || read - time > time / 99 else { continue }
            Issue.record("\(time) is sent as \(read)")
        }
    }
}
