// SPDX-License-Identifier: Apache-2.0

/// Memory for one message on its way in or out: pieces are cut off one after the other and given back together.
///
/// A pointer to its state, which lives in allocated memory. One thread uses it at a time, without suspending: hence
/// no lock.
@usableFromInline
struct Arena {
    @usableFromInline let state: UnsafeMutablePointer<State>

    @usableFromInline
    struct State {
        @usableFromInline var cursor: UnsafeMutableRawPointer
        @usableFromInline var end: UnsafeMutableRawPointer
        // The first chunk is kept from message to message, later ones are freed: a huge message leaves nothing.
        let firstChunk: UnsafeMutableRawPointer
        // Each later chunk begins with a pointer to the one before.
        var laterChunks: UnsafeMutableRawPointer?
        var nextChunkSize = Arena.firstChunkSize
        var spent = 0
        @usableFromInline var budget = Int.max
        @usableFromInline var isTooDeep = false
        @usableFromInline var isTaken = false
        /// Large values that are packed from where they are, with the place that wants their address.
        @usableFromInline var pinned: [PinnedData] = []
        /// Groups to be packed before the messages they are in, the innermost first.
        @usableFromInline var groups: [WrittenGroup] = []
        @usableFromInline var isDeterministic = false
        let isTemporary: Bool
    }

    static let firstChunkSize = 32 * 1024
    private static let chunkHeaderSize = 16

    init(isTemporary: Bool) {
        state = .allocate(capacity: 1)
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: Self.firstChunkSize, alignment: 16)
        state.initialize(
            to: State(
                cursor: chunk, end: chunk + Self.firstChunkSize, firstChunk: chunk,
                isTemporary: isTemporary))
    }

    func free() {
        freeLaterChunks()
        state.pointee.firstChunk.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// Eight-byte aligned memory, not initialized.
    @inlinable
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = (byteCount &+ 7) & ~7
        let start = state.pointee.cursor
        guard start.distance(to: state.pointee.end) >= size else { return addChunk(size) }
        state.pointee.cursor = start + size
        return start
    }

    /// Memory for what came in, or nil when that is over the budget.
    func allocateWithinBudget(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        let size = (byteCount &+ 7) & ~7
        guard size <= state.pointee.budget &- state.pointee.spent else { return nil }
        state.pointee.spent &+= size
        return allocate(size)
    }

    @usableFromInline
    func addChunk(_ size: Int) -> UnsafeMutableRawPointer {
        let chunkSize = max(size + Self.chunkHeaderSize, state.pointee.nextChunkSize)
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: chunkSize, alignment: 16)
        chunk.storeBytes(of: state.pointee.laterChunks, as: UnsafeMutableRawPointer?.self)
        state.pointee.laterChunks = chunk
        state.pointee.nextChunkSize = min(chunkSize * 2, 4 * 1024 * 1024)
        state.pointee.cursor = chunk + Self.chunkHeaderSize + size
        state.pointee.end = chunk + chunkSize
        return chunk + Self.chunkHeaderSize
    }

    private func freeLaterChunks() {
        while let chunk = state.pointee.laterChunks {
            state.pointee.laterChunks = chunk.load(as: UnsafeMutableRawPointer?.self)
            chunk.deallocate()
        }
    }

    func reset() {
        if state.pointee.laterChunks != nil {
            freeLaterChunks()
            state.pointee.nextChunkSize = Self.firstChunkSize
            state.pointee.end = state.pointee.firstChunk + Self.firstChunkSize
        }
        if !state.pointee.pinned.isEmpty { state.pointee.pinned = [] }
        if !state.pointee.groups.isEmpty { state.pointee.groups = [] }
        state.pointee.isDeterministic = false
        state.pointee.cursor = state.pointee.firstChunk
        state.pointee.spent = 0
        state.pointee.isTooDeep = false
    }
}

extension Arena {
    init(state: UnsafeMutablePointer<State>) { self.state = state }
}
