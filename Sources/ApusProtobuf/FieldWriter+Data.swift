// SPDX-License-Identifier: Apache-2.0

/// A large value that is packed from where it is: its place in the struct gets the address while it is packed.
@usableFromInline
enum PinnedData {
    case bytes([UInt8], place: UnsafeMutableRawPointer)
    case text(String, place: UnsafeMutableRawPointer)
}

extension FieldWriter {
    /// Values of this size and more are not copied into the arena.
    @usableFromInline static let pinnedSize = 1024
    // Each pinned value takes a stack frame while the message is packed.
    static let pinnedLimit = 32

    // What seldom happens is done elsewhere: the common way takes no reference to the value.
    @inlinable
    func data(_ value: String, to place: UnsafeMutableRawPointer) {
        if value.utf8.count >= Self.pinnedSize, pin(value, to: place) { return }
        let isCopied: Void? = value.utf8.withContiguousStorageIfAvailable {
            copy(UnsafeRawBufferPointer($0), to: place)
        }
        if isCopied == nil { copyPieces(value, to: place) }
    }

    @inlinable
    func data(_ value: [UInt8], to place: UnsafeMutableRawPointer) {
        if value.count >= Self.pinnedSize, pin(value, to: place) { return }
        value.withUnsafeBytes { copy($0, to: place) }
    }

    @usableFromInline @inline(never)
    func pin(_ value: String, to place: UnsafeMutableRawPointer) -> Bool {
        guard arena.state.pointee.pinned.count < Self.pinnedLimit else { return false }
        arena.state.pointee.pinned.append(.text(value, place: place))
        return true
    }

    @usableFromInline @inline(never)
    func pin(_ value: [UInt8], to place: UnsafeMutableRawPointer) -> Bool {
        guard arena.state.pointee.pinned.count < Self.pinnedLimit else { return false }
        arena.state.pointee.pinned.append(.bytes(value, place: place))
        return true
    }

    @usableFromInline @inline(never)
    func copyPieces(_ value: String, to place: UnsafeMutableRawPointer) {
        Array(value.utf8).withUnsafeBytes { copy($0, to: place) }
    }

    @inlinable
    func copy(_ bytes: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) {
        let copy = arena.allocate(bytes.count)
        if let start = bytes.baseAddress { copy.copyMemory(from: start, byteCount: bytes.count) }
        place.storeBytes(of: DataSlot(count: bytes.count, start: copy), as: DataSlot.self)
    }
}

extension Arena {
    /// Calls `body` while every pinned value's address is in its place.
    func withPinnedData(from index: Int = 0, _ body: () -> Void) {
        guard index < state.pointee.pinned.count else { return body() }
        switch state.pointee.pinned[index] {
        case .bytes(let value, let place):
            value.withUnsafeBytes { pin($0, index, place, body) }
        case .text(var value, let place):
            value.withUTF8 { pin(UnsafeRawBufferPointer($0), index, place, body) }
        }
    }

    private func pin(
        _ bytes: UnsafeRawBufferPointer, _ index: Int, _ place: UnsafeMutableRawPointer, _ body: () -> Void
    ) {
        place.storeBytes(of: DataSlot(count: bytes.count, start: bytes.baseAddress), as: DataSlot.self)
        withPinnedData(from: index + 1, body)
    }
}
