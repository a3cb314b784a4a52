// SPDX-License-Identifier: Apache-2.0

import CProtobufC

// Unknown fields.
extension Unpacker {
    /// Keeps a whole field. Neighbours share one entry, unless a tag takes more bytes than it needs: tags are kept in
    /// their shortest form, whoever unpacks them.
    func keep(
        _ tag: UInt32, _ begin: UnsafePointer<UInt8>, _ content: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        _ message: Message
    ) throws(Malformed) {
        let header = message.assumingMemoryBound(to: ProtobufCMessage.self)
        let count = Int(header.pointee.n_unknown_fields)
        let tagSize = (38 - tag.leadingZeroBitCount) / 7
        if count > 0, content - begin == tagSize, let last = header.pointee.unknown_fields?.advanced(by: count - 1),
            let data = last.pointee.data, UnsafePointer(data + last.pointee.len) == begin
        {
            last.pointee.len += end - begin
        } else {
            try addUnknown(tag, content, end, message)
        }
    }

    func addUnknown(
        _ tag: UInt32, _ content: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ message: Message
    ) throws(Malformed) {
        let header = message.assumingMemoryBound(to: ProtobufCMessage.self)
        let count = Int(header.pointee.n_unknown_fields)
        let size = MemoryLayout<ProtobufCMessageUnknownField>.stride
        let list = try room(at: message + 16, count, for: 1, of: size)
        let field = ProtobufCMessageUnknownField(
            tag: tag >> 3, wire_type: ProtobufCWireType(tag & 7), len: end - content,
            data: UnsafeMutablePointer(mutating: content))
        (list + count * size).initializeMemory(as: ProtobufCMessageUnknownField.self, to: field)
        header.pointee.n_unknown_fields += 1
    }
}
