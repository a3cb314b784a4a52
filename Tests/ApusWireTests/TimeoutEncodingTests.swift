// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct TimeoutEncodingTests {
    @Test(arguments: [
        (0, "0n"), (-5, "0n"), (Int64.min, "0n"), (1, "1n"), (99_999_999, "99999999n"),
        (100_000_000, "100000u"), (100_000_001, "100001u"), (99_999_999_000, "99999999u"),
        (99_999_999_001, "100000m"), (2_000_000_000, "2000000u"), (99_999_999_000_001, "100000S"),
        (99_999_999_000_000_001, "1666667M"), (Int64.max, "2562048H"),
    ])
    func `the time left is rounded up to the finest unit of eight digits`(_ nanoseconds: Int64, _ text: String) {
        #expect(String(decoding: TimeoutEncoding.encode(nanoseconds: nanoseconds), as: UTF8.self) == text)
    }

    @Test(arguments: [
        ("0n", 0), ("1n", 1), ("1u", 1000), ("1m", 1_000_000), ("1S", 1_000_000_000), ("1M", 60_000_000_000),
        ("1H", 3_600_000_000_000), ("00000001S", 1_000_000_000), ("99999999n", 99_999_999),
        ("99999999M", 5_999_999_940_000_000_000), ("2562047H", 9_223_369_200_000_000_000),
    ])
    func `a timeout is read in its unit`(_ text: String, _ nanoseconds: Int64) {
        #expect(text.onWire(TimeoutEncoding.decode) == nanoseconds)
    }

    @Test(arguments: ["2562048H", "99999999H"])
    func `a timeout beyond 292 years is held there`(_ text: String) {
        #expect(text.onWire(TimeoutEncoding.decode) == .max)
    }

    @Test(arguments: [
        "", "S", "1", "12", "123456789S", "1s", "1h", "-1S", "+1S", "1.5S", " 1S", "1S ", "1 S", "0x1S", "S1", "１S",
    ])
    func `what is no timeout is refused`(_ text: String) {
        #expect(text.onWire(TimeoutEncoding.decode) == nil)
    }

    @Test(arguments: [1, 999, 123_456_789, 5_000_000_001, 86_400_000_000_001, Int64.max / 3])
    func `a timeout read again is never shorter`(_ nanoseconds: Int64) throws {
        let text = String(decoding: TimeoutEncoding.encode(nanoseconds: nanoseconds), as: UTF8.self)
        #expect(try #require(text.onWire(TimeoutEncoding.decode)) >= nanoseconds)
    }

    @Test(arguments: [
        (9_999_987_654, 10_000_000_000), (10_000_000_000, 10_000_000_000), (1_000_001, 1_010_000), (999, 999),
        (1001, 1010), (0, 0), (-7, -7), (Int64.max, Int64.max), (Int64.min, Int64.min),
    ])
    func `a time is rounded up to three digits`(_ nanoseconds: Int64, _ rounded: Int64) {
        #expect(TimeoutEncoding.rounded(nanoseconds: nanoseconds) == rounded)
    }

    @Test func `rounding adds a hundredth at most, whatever the time`() {
        let random = SplitMixRandom(seed: 7)
        for _ in 0..<10_000 {
            let time = Int64(random.index(below: .max) >> random.index(below: 63))
            let rounded = TimeoutEncoding.rounded(nanoseconds: time)
            guard rounded < time || rounded - time > time / 100 else { continue }
            Issue.record("\(time) became \(rounded)")
        }
    }
}
