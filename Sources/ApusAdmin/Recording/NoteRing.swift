// SPDX-License-Identifier: Apache-2.0

/// The newest of what was appended, so many at most.
package struct NoteRing<Note: Sendable>: Sendable {
    private var notes: [Note] = []
    // Where the oldest is, once the ring is full.
    private var oldest = 0
    private let capacity: Int

    package init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Puts a note in the place of the oldest if there is no other.
    package mutating func append(_ note: Note) {
        guard notes.count == capacity else { return notes.append(note) }
        notes[oldest] = note
        oldest = (oldest + 1) % capacity
    }

    /// All notes.
    package var newestFirst: [Note] { (notes[oldest...] + notes[..<oldest]).reversed() }

    /// Changes the newest note; does nothing without one.
    package mutating func changeNewest(_ change: (inout Note) -> Void) {
        guard !notes.isEmpty else { return }
        change(&notes[(oldest + notes.count - 1) % notes.count])
    }

    package var newest: Note? { notes.isEmpty ? nil : notes[(oldest + notes.count - 1) % notes.count] }
}
