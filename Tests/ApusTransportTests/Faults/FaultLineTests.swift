// SPDX-License-Identifier: Apache-2.0

import Testing

/// The faults strike where they are said to.
@Suite struct FaultLineTests {
    private static let head = RawFrame(.headers, flags: RawFrame.endHeaders, stream: 1, [1, 2, 3]).bytes
    private static let messages = RawPeer.message([7, 7, 7, 7]) + RawPeer.message([8, 8, 8, 8])
    private static let bytes =
        RawFrame.settings.bytes + head + RawFrame.data(1, messages).bytes
        + RawFrame(.headers, flags: RawFrame.endHeaders | RawFrame.endStream, stream: 1, [4]).bytes

    /// What had passed when the fault struck, with the bytes brought in pieces of this size.
    private func passed(_ moment: Moment, _ step: Int) -> Int? {
        var line = FaultLine(.stall, at: MomentWatch(moment, .toClient, messageSize: 9))
        var rest = Self.bytes[...]
        var count = 0
        while !rest.isEmpty {
            for action in line.pass(Array(rest.prefix(step))) {
                guard case .bytes(let bytes) = action else { return count }
                count += bytes.count
            }
            rest = rest.dropFirst(step)
        }
        return nil
    }

    @Test(arguments: [1, 2, 5, 9, 10, 1000])
    func `a moment is found however the bytes are cut`(_ step: Int) {
        let expected: [Moment: Int] = [
            .start: 0, .insideStart: 5, .beforeHeaders: 9, .insideHeaders: 14, .afterHeaders: 21, .insidePrefix: 32,
            .insideMessage: 34, .betweenMessages: 39, .beforeEnd: 48, .insideEnd: 52, .afterEnd: 58,
        ]
        for moment in Moment.allCases { #expect(passed(moment, step) == expected[moment], "\(moment)") }
    }

    @Test func `one byte is changed and no other`() {
        var line = FaultLine(.corrupt, at: MomentWatch(.insidePrefix, .toClient, messageSize: 9))
        var changed: [UInt8] = []
        for step in line.pass(Self.bytes) {
            if case .bytes(let bytes) = step { changed += bytes }
        }
        #expect(zip(changed, Self.bytes).enumerated().filter { $1.0 != $1.1 }.map(\.offset) == [32])
        #expect(changed.count == Self.bytes.count)
    }

    @Test func `a moment that does not come strikes nothing`() {
        var line = FaultLine(.reset, at: MomentWatch(.betweenMessages, .toClient, messageSize: 100))
        #expect(line.pass(Self.bytes) == [.bytes(Self.bytes)])
        #expect(!line.hasStruck)
    }
}
