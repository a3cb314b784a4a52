// SPDX-License-Identifier: Apache-2.0

import CProtobufC

// Lists and unknown fields.
extension Unpacker {
    /// The list whose address is at `place`, with room for `more` elements. The word before a list is its capacity.
    @inline(__always)
    func room(
        at place: Message, _ count: Int, for more: Int, of size: Int
    ) throws(Malformed) -> UnsafeMutableRawPointer {
        let list = place.load(as: UnsafeMutableRawPointer?.self)
        if let list, (list - 8).load(as: Int.self) - count >= more { return list }
        return try grow(list, at: place, count, for: more, of: size)
    }

    private func grow(
        _ list: UnsafeMutableRawPointer?, at place: Message, _ count: Int, for more: Int, of size: Int
    ) throws(Malformed) -> UnsafeMutableRawPointer {
        let capacity = list == nil ? more : max(count + more, 2 * count)
        let memory = try allocate(8 + capacity * size)
        memory.storeBytes(of: capacity, as: Int.self)
        let new = memory + 8
        if let list { new.copyMemory(from: list, byteCount: count * size) }
        place.storeBytes(of: new, as: UnsafeMutableRawPointer.self)
        return new
    }

    /// Counts the elements of all lists, so that each gets the memory it needs and no more.
    mutating func reserveLists(
        _ message: Message, _ rules: AdmissionRules, _ start: WireCursor
    ) throws(Malformed) {
        // Skipping a group reads all of it, at every level: those lists grow as they are filled.
        guard !rules.table.pointee.hasGroups else { return }
        let fields = UnsafePointer(rules.table.pointee.fields)
        while counts.count < rules.table.pointee.count { counts.append(0) }
        var cursor = start
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag & 7 == WireType.endGroup { break }
            guard let field = rules.find(tag >> 3), field.pointee.place == .list else {
                try cursor.skipField(tag, depth: .max)
                continue
            }
            let index = field - fields
            if counts[index] == 0 { counted.append(index) }
            counts[index] += try elements(field.pointee, tag, &cursor)
        }
        for index in counted {
            let field = fields[index]
            let count = message.load(fromByteOffset: field.byte, as: Int.self)
            _ = try room(at: message + field.byte + 8, count, for: counts[index], of: field.encoding.size)
            counts[index] = 0
        }
        counted.removeAll(keepingCapacity: true)
    }

    /// How many elements one occurrence of a list has, at most.
    private func elements(_ field: Field, _ tag: UInt32, _ cursor: inout WireCursor) throws(Malformed) -> Int {
        guard tag & 7 == WireType.delimited, let packedType = field.packedType else {
            try cursor.skipField(tag, depth: .max)
            return 1
        }
        let end = try cursor.contentEnd()
        defer { cursor.at = end }
        switch packedType {
        case WireType.fixed32: return (end - cursor.at) / 4
        case WireType.fixed64: return (end - cursor.at) / 8
        default: return UnsafeBufferPointer(start: cursor.at, count: end - cursor.at).count { $0 < 0x80 }
        }
    }

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
