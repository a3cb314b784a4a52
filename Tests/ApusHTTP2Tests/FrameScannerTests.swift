// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct FrameScannerTests {
    /// The heads found in `bytes` when they come in pieces of `size`.
    private func heads(_ bytes: [UInt8], pieces size: Int, preface: Bool = false) -> [FrameHead] {
        var scanner = FrameScanner(expectsPreface: preface)
        var heads: [FrameHead] = []
        var offset = 0
        while offset < bytes.count {
            let piece = Array(bytes[offset..<min(bytes.count, offset + size)])
            offset += size
            piece.withUnsafeBytes { piece in
                var rest = piece
                while let head = scanner.next(&rest) { heads.append(head) }
            }
        }
        #expect(!scanner.isInsideFrame)
        return heads
    }

    @Test(arguments: [1, 2, 3, 5, 8, 9, 10, 11, 23, 64, 4096])
    func `frames are found wherever their bytes were split`(_ size: Int) {
        let bytes =
            WireFrames.preface + WireFrames.settings + WireFrames.headers(1)
            + WireFrames.frame(FrameType.data, flags: FrameFlag.padded, stream: 1, [3, 7, 7, 0, 0, 0])
            + WireFrames.frame(FrameType.data, flags: FrameFlag.padded, stream: 1, [0])
            + WireFrames.frame(FrameType.data, flags: FrameFlag.padded, stream: 0x7fff_ffff)
            + WireFrames.frame(FrameType.priority, stream: 5, [0x80, 0, 1, 7, 16])
            + WireFrames.frame(FrameType.priority, stream: 5, [0, 0, 1, 7])
            + WireFrames.frame(0xbb, flags: 0xff, stream: 0x8000_0003, [1]) + WireFrames.ping
        let expected = [
            FrameHead(length: 0, type: FrameType.settings, flags: 0, stream: 0),
            FrameHead(length: 9, type: FrameType.headers, flags: FrameFlag.endHeaders, stream: 1),
            FrameHead(length: 6, type: FrameType.data, flags: FrameFlag.padded, stream: 1, padding: 4),
            FrameHead(length: 1, type: FrameType.data, flags: FrameFlag.padded, stream: 1, padding: 1),
            FrameHead(length: 0, type: FrameType.data, flags: FrameFlag.padded, stream: .max),
            FrameHead(length: 5, type: FrameType.priority, flags: 0, stream: 5, dependency: 0x107),
            FrameHead(length: 4, type: FrameType.priority, flags: 0, stream: 5),
            FrameHead(length: 1, type: 0xbb, flags: 0xff, stream: 3),
            FrameHead(length: 8, type: FrameType.ping, flags: 0, stream: 0),
        ]
        #expect(heads(bytes, pieces: size, preface: true) == expected)
    }

    @Test func `padding that claims more than its frame counts as the whole frame`() {
        let bytes = WireFrames.frame(FrameType.data, flags: FrameFlag.padded, stream: 1, [255, 1])
        #expect(heads(bytes, pieces: 64).map(\.padding) == [2])
    }

    @Test func `a frame is open until its last byte`() {
        var scanner = FrameScanner(expectsPreface: false)
        for (index, byte) in WireFrames.ping.enumerated() {
            withUnsafeBytes(of: byte) { bytes in
                var rest = bytes
                #expect((scanner.next(&rest) != nil) == (index == 8))
            }
            #expect(scanner.isInsideFrame == (index < WireFrames.ping.count - 1))
        }
    }
}
