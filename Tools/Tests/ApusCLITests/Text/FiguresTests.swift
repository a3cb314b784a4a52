// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct FiguresTests {
    @Test(arguments: [
        (Duration.zero, "0"), (.nanoseconds(812), "812 ns"), (.microseconds(1), "1.00 µs"),
        (.microseconds(999), "999 µs"), (.nanoseconds(999_600), "1.00 ms"), (.microseconds(12_340), "12.3 ms"),
        (.milliseconds(999), "999 ms"), (.seconds(1), "1.00 s"), (.seconds(90), "90.0 s"), (.seconds(-1), "0"),
    ])
    func `a time has three digits that count`(duration: Duration, text: String) {
        #expect(Figures.time(duration) == text)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000")])
    func `long numbers have commas`(number: Int, text: String) { #expect(Figures.count(number) == text) }

    @Test(arguments: [(4.5, "4.5"), (4, "4"), (99.96, "100.0"), (812.4, "812"), (5709.7, "5,710"), (.nan, "-")])
    func `rates have a fraction where it counts`(number: Double, text: String) {
        #expect(Figures.rate(number) == text)
    }

    @Test func `bytes have the unit that fits`() {
        #expect(Figures.bytes(12) == "12 bytes")
        #expect(Figures.bytes(4096) == "4.0 KiB")
        #expect(Figures.bytes(3 << 20) == "3.0 MiB")
    }

    @Test func `one is not many`() {
        #expect(Figures.plural(1, "lane") == "1 lane")
        #expect(Figures.plural(2000, "lane") == "2,000 lanes")
    }
}
