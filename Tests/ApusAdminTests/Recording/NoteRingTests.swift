// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import Testing

@Suite struct NoteRingTests {
    @Test func `the newest notes stay, and the newest is first`() {
        var ring = NoteRing<Int>(capacity: 3)
        #expect(ring.newestFirst.isEmpty)
        #expect(ring.newest == nil)
        for note in 1...3 { ring.append(note) }
        #expect(ring.newestFirst == [3, 2, 1])
        for note in 4...5 { ring.append(note) }
        #expect(ring.newestFirst == [5, 4, 3])
        #expect(ring.newest == 5)
    }

    @Test func `the newest note can be changed, wherever it stands`() {
        var ring = NoteRing<Int>(capacity: 2)
        ring.changeNewest { $0 = 9 }
        for note in 1...3 {
            ring.append(note)
            ring.changeNewest { $0 *= 10 }
        }
        #expect(ring.newestFirst == [30, 20])
    }

    @Test func `a ring has room for one note at least`() {
        var ring = NoteRing<Int>(capacity: 0)
        ring.append(1)
        ring.append(2)
        #expect(ring.newestFirst == [2])
    }
}
