// SPDX-License-Identifier: Apache-2.0

/// Reads a message's bytes into the struct that its table describes, in one go that trusts nothing: what is malformed
/// is refused, what comes twice is merged in place, groups are read, and what the table does not expect is kept as
/// unknown fields. Linear in the bytes.
///
/// Strings and bytes are not copied: their places point into the message, which outlives the struct.
///
/// libprotobuf-c 1.4.1 could fill the same struct, but has no recursion limit, merges in quadratic time, refuses groups
/// and unexpected wire types, and checks neither UTF-8 nor field numbers: its input would have to be read once before.
///
/// Source: protobuf *Encoding*, Last One Wins.
struct Unpacker {
    typealias Field = AdmissionRules.Field
    typealias Message = UnsafeMutableRawPointer

    private let arena: Arena
    /// How many elements each list of the message at hand will get, by the index of its field. All zero between
    /// messages, so that a tiny message costs little.
    var counts: [Int] = []
    var counted: [Int] = []
    /// Whether a closed enum's number without a name was met: a map's entry with one is an unknown field itself.
    private var hasMetUnnamed = false

    init(in arena: Arena) { self.arena = arena }

    /// - Parameter depth: how many levels of messages are allowed below this one.
    mutating func unpack(
        _ rules: AdmissionRules, _ bytes: UnsafeRawBufferPointer, depth: Int
    ) throws(Malformed) -> Message {
        let message = try makeMessage(rules)
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return message }
        var cursor = WireCursor(at: start, end: start + bytes.count, start: start)
        try fill(message, rules, &cursor, depth: depth)
        return message
    }

    @inline(__always)
    private func makeMessage(_ rules: AdmissionRules) throws(Malformed) -> Message {
        let byteCount = rules.table.pointee.byteCount
        let message = try allocate(byteCount)
        message.initializeMemory(as: UInt64.self, repeating: 0, count: byteCount / 8)
        message.storeBytes(of: rules.table.pointee.descriptor, as: UnsafeRawPointer.self)
        return message
    }

    @inline(__always)
    func allocate(_ byteCount: Int) throws(Malformed) -> UnsafeMutableRawPointer {
        guard let memory = arena.allocateWithinBudget(byteCount) else { throw Malformed(reason: .memory, offset: 0) }
        return memory
    }

    /// Reads fields until the bytes end, or the group with this number (0 for none) does.
    private mutating func fill(
        _ message: Message, _ rules: AdmissionRules, _ cursor: inout WireCursor, depth: Int, group: UInt32 = 0
    ) throws(Malformed) {
        var hasCounted = false
        while !cursor.isAtEnd {
            let begin = cursor.at
            let tag = try cursor.tag()
            guard let field = rules.find(tag >> 3), field.pointee.wireType == tag & 7 else {
                if try cursor.ends(group, tag) { return }
                try readOddly(rules, tag, begin, &cursor, message, depth: depth)
                continue
            }
            if field.pointee.place == .list, isFull(field, in: message) {
                let rest = WireCursor(at: begin, end: cursor.end, start: cursor.start)
                try makeRoom(for: field, in: message, rules, rest, depth: depth, &hasCounted)
            }
            let content = cursor.at
            if try read(field, &cursor, message, depth: depth) { continue }
            cursor.at = content
            try cursor.skipField(tag, depth: depth)
            try keep(tag, begin, content, cursor.at, message)
        }
        if group != 0 { throw cursor.malformed(.group) }
    }

    /// Reads one occurrence of a field; false if it has to be kept as an unknown one.
    @inline(__always)
    private mutating func read(
        _ field: UnsafePointer<Field>, _ cursor: inout WireCursor, _ message: Message, depth: Int
    ) throws(Malformed) -> Bool {
        switch field.pointee.encoding {
        case .message:
            return try readMessage(field, &cursor, message, depth: depth)
        case .data:
            let end = try cursor.contentEnd()
            if case .text = field.pointee.content, !isUTF8(cursor.at, end) {
                throw cursor.malformed(.utf8).inside(field.pointee.number)
            }
            let slot = DataSlot(count: end - cursor.at, start: cursor.at)
            place(of: field, in: message).storeBytes(of: slot, as: DataSlot.self)
            cursor.at = end
        default:
            let bits = try cursor.bits(field.pointee.wireType)
            guard field.pointee.admits(bits) else {
                hasMetUnnamed = true
                return false
            }
            place(of: field, in: message).store(bits, field.pointee.encoding)
        }
        return true
    }

    /// A number that the table does not have, or a known one with another wire type than its own: a packed run, or
    /// else an unknown field.
    private mutating func readOddly(
        _ rules: AdmissionRules, _ tag: UInt32, _ begin: UnsafePointer<UInt8>, _ cursor: inout WireCursor,
        _ message: Message, depth: Int
    ) throws(Malformed) {
        if tag & 7 == WireType.delimited, let field = rules.find(tag >> 3), let type = field.pointee.packedType {
            return try readPacked(field, type, &cursor, message)
        }
        let content = cursor.at
        try cursor.skipField(tag, depth: depth)
        try keep(tag, begin, content, cursor.at, message)
    }

    private mutating func readMessage(
        _ field: UnsafePointer<Field>, _ cursor: inout WireCursor, _ message: Message, depth: Int
    ) throws(Malformed) -> Bool {
        guard let rules = field.pointee.child else { return false }
        if field.pointee.isMap { return try readEntry(field, rules, &cursor, message, depth: depth) }
        if let known = child(field, in: message) {
            try readContent(field, rules, &cursor, known, depth: depth)
        } else {
            let new = try makeMessage(rules)
            place(of: field, in: message).storeBytes(of: new, as: Message.self)
            try readContent(field, rules, &cursor, new, depth: depth)
        }
        return true
    }

    /// The message that more of the field is merged into: nil in lists, and where the field is not set yet.
    @inline(__always)
    private func child(_ field: UnsafePointer<Field>, in message: Message) -> Message? {
        let byte = field.pointee.byte
        switch field.pointee.place {
        case .list: return nil
        case .oneof where message.load(fromByteOffset: byte + 16, as: UInt32.self) != field.pointee.number: return nil
        default: return message.load(fromByteOffset: byte, as: Message?.self)
        }
    }

    private mutating func readEntry(
        _ field: UnsafePointer<Field>, _ rules: AdmissionRules, _ cursor: inout WireCursor, _ message: Message,
        depth: Int
    ) throws(Malformed) -> Bool {
        let entry = try makeMessage(rules)
        let before = hasMetUnnamed
        hasMetUnnamed = false
        try readContent(field, rules, &cursor, entry, depth: depth)
        let isUnnamed = hasMetUnnamed && rules.find(2)?.pointee.closedEnum != nil
        hasMetUnnamed = before
        if isUnnamed { return false }
        place(of: field, in: message).storeBytes(of: entry, as: Message.self)
        return true
    }

    @inline(__always)
    private mutating func readContent(
        _ field: UnsafePointer<Field>, _ rules: AdmissionRules, _ cursor: inout WireCursor, _ target: Message,
        depth: Int
    ) throws(Malformed) {
        let number = field.pointee.number
        let isGroup = field.pointee.wireType == WireType.startGroup
        let end = isGroup ? cursor.end : try cursor.contentEnd()
        guard depth > 0 else { throw cursor.malformed(.depth) }
        var inner = WireCursor(at: cursor.at, end: end, start: cursor.start)
        do {
            try fill(target, rules, &inner, depth: depth - 1, group: isGroup ? number : 0)
        } catch {
            throw error.inside(number)
        }
        cursor.at = inner.at
    }

    /// Where the next value of the field goes; the field is set from then on. A list has room for it.
    @inline(__always)
    private func place(of field: UnsafePointer<Field>, in message: Message) -> Message {
        let byte = field.pointee.byte
        switch field.pointee.place {
        case .single:
            let flag = field.pointee.flag
            if flag != 0 { message.storeBytes(of: 1, toByteOffset: flag, as: Int32.self) }
            return message + byte
        case .oneof:
            message.storeBytes(of: field.pointee.number, toByteOffset: byte + 16, as: UInt32.self)
            return message + byte
        case .list:
            return nextElement(of: field, in: message)
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Stores the bits of a scalar as protobuf-c's structs have them.
    @inline(__always)
    func store(_ bits: UInt64, _ encoding: AdmissionRules.Field.Encoding) {
        let low = UInt32(truncatingIfNeeded: bits)
        switch encoding {
        case .int32, .fixed32: storeBytes(of: low, as: UInt32.self)
        case .sint32: storeBytes(of: (low >> 1) ^ (0 &- (low & 1)), as: UInt32.self)
        case .bool: storeBytes(of: bits != 0 ? 1 : 0, as: UInt32.self)
        case .int64, .fixed64: storeBytes(of: bits, as: UInt64.self)
        case .sint64: storeBytes(of: (bits >> 1) ^ (0 &- (bits & 1)), as: UInt64.self)
        // These are no scalars.
        case .data, .message: break
        }
    }
}

extension WireCursor {
    /// The bits of a scalar of this wire type.
    @inline(__always)
    mutating func bits(_ wireType: UInt32) throws(Malformed) -> UInt64 {
        let value = at
        switch wireType {
        case WireType.fixed32:
            try skip(4)
            return UInt64(UInt32(littleEndian: UnsafeRawPointer(value).loadUnaligned(as: UInt32.self)))
        case WireType.fixed64:
            try skip(8)
            return UInt64(littleEndian: UnsafeRawPointer(value).loadUnaligned(as: UInt64.self))
        default:
            return try varint()
        }
    }

    /// Whether the tag ends the group that is being read; 0 for none.
    fileprivate func ends(_ group: UInt32, _ tag: UInt32) throws(Malformed) -> Bool {
        guard tag & 7 == WireType.endGroup else { return false }
        guard group != 0, tag >> 3 == group else { throw malformed(.group) }
        return true
    }
}
