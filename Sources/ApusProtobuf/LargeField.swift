// SPDX-License-Identifier: Apache-2.0

/// A string or bytes that makes up half of a message or more: libprotobuf-c gets the message without its content and
/// the struct then points to the content where it was received. So it is copied once, into the Swift value.
struct LargeField {
    /// Below this, copying twice is cheaper.
    static let minimumSize = 1024

    let number: UInt32
    /// The field's place in the struct.
    let word: Int
    let lengthStart: UnsafePointer<UInt8>
    let content: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    /// The message with this field empty.
    func removed(
        from start: UnsafePointer<UInt8>, _ count: Int, in arena: Arena
    ) -> UnsafeBufferPointer<UInt8> {
        let before = lengthStart - start
        let after = start + count - end
        let rest = arena.allocate(before + 1 + after)
        rest.copyMemory(from: start, byteCount: before)
        rest.storeBytes(of: 0, toByteOffset: before, as: UInt8.self)
        (rest + before + 1).copyMemory(from: end, byteCount: after)
        return UnsafeBufferPointer(start: rest.assumingMemoryBound(to: UInt8.self), count: before + 1 + after)
    }

    /// Gives the field its content, in the struct that was unpacked without it.
    func put(into message: UnsafeMutableRawPointer) {
        let slot = DataSlot(count: end - content, start: content)
        message.storeBytes(of: slot, toByteOffset: word * 8, as: DataSlot.self)
    }
}
