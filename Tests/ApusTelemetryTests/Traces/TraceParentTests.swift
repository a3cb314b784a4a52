// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry
import Testing

@Suite struct TraceParentTests {
    private let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `a header is read and written`() throws {
        let parent = try #require(TraceParent(header))
        #expect(parent.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(parent.spanID == "00f067aa0ba902b7")
        #expect(parent.flags == 1)
        #expect(parent.header == header)
    }

    @Test func `the binary form says the same`() throws {
        let parent = try #require(TraceParent(header))
        #expect(
            parent.binary == [
                0, 0, 0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36,
                1, 0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7, 2, 1,
            ])
        #expect(TraceParent(binary: parent.binary) == parent)
    }

    @Test func `a later version may say more`() {
        #expect(TraceParent("01" + header.dropFirst(2) + "-more")?.header == header)
        #expect(TraceParent(header + "-more") == nil)
        #expect(TraceParent("01" + header.dropFirst(2) + "more") == nil)
    }

    @Test(
        arguments: [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        ])
    func `what is no header is none`(_ text: String) {
        #expect(TraceParent(text) == nil)
    }

    @Test func `binary forms that are cut or mislabelled are none`() throws {
        let good = try #require(TraceParent(header)).binary
        for count in 0..<good.count { #expect(TraceParent(binary: Array(good.prefix(count))) == nil) }
        for place in [0, 1, 18, 27] {
            var bad = good
            bad[place] ^= 0x40
            #expect(TraceParent(binary: bad) == nil)
        }
        #expect(TraceParent(binary: [0, 0] + [UInt8](repeating: 0, count: 16) + good[18...]) == nil)
    }
}
