// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// Fields of a message that its .proto file does not know, as they came: tags and contents, one after the other.
public struct UnknownFields: Sendable, Hashable {
    /// The fields in wire format.
    public private(set) var bytes: [UInt8] = []

    /// No fields.
    @inlinable
    public init() {}

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// Whether there are none.
    @inlinable
    public var isEmpty: Bool { bytes.isEmpty }

    // The struct at `message` was unpacked and is alive.
    @usableFromInline
    init(of message: UnsafeRawPointer) {
        let header = message.assumingMemoryBound(to: ProtobufCMessage.self).pointee
        for index in 0..<Int(header.n_unknown_fields) {
            guard let field = header.unknown_fields?[index] else { return }
            bytes.appendVarint(UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue))
            bytes.append(contentsOf: UnsafeBufferPointer(start: field.data, count: field.len))
        }
    }

    /// Puts the fields into a struct to be packed: as one field, since libprotobuf-c writes a tag and then whatever
    /// bytes it is given.
    @usableFromInline
    func write(to message: UnsafeMutableRawPointer, in arena: Arena) {
        guard let tagEnd = bytes.firstIndex(where: { $0 < 0x80 }) else { return }
        var tag: UInt64 = 0
        for (index, byte) in bytes[...tagEnd].enumerated() { tag |= UInt64(byte & 0x7F) << (7 * UInt64(index)) }
        let content = bytes[(tagEnd + 1)...]
        let copy = arena.allocate(content.count)
        copy.copyBytes(content)
        let field = arena.allocate(MemoryLayout<ProtobufCMessageUnknownField>.size)
            .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: 1)
        field.initialize(
            to: ProtobufCMessageUnknownField(
                tag: UInt32(truncatingIfNeeded: tag >> 3), wire_type: ProtobufCWireType(UInt32(tag & 7)),
                len: content.count, data: copy.assumingMemoryBound(to: UInt8.self)))
        let header = message.assumingMemoryBound(to: ProtobufCMessage.self)
        header.pointee.n_unknown_fields = 1
        header.pointee.unknown_fields = field
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

extension UnsafeMutableRawPointer {
    @inlinable
    func copyBytes(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { copyMemory(from: start, byteCount: source.count) }
        }
    }
}
