// SPDX-License-Identifier: Apache-2.0

/// Fills the struct of an admitted message that libprotobuf-c would mishandle, in one go over its bytes: what comes
/// twice is merged in place, groups are read, and what the table does not expect is kept as unknown fields.
///
/// Strings and bytes are not copied: their places point into the message, which outlives the struct. Lists take the
/// memory of their elements and no scan table, which in libprotobuf-c is larger than most messages.
///
/// Source: protobuf *Encoding*, Last One Wins.
struct Unpacker {
    typealias Field = AdmissionRules.Field
    typealias Message = UnsafeMutableRawPointer

    private let arena: Arena
    private let source: UnsafePointer<UInt8>
    /// How many elements each list of the message at hand will get, by the index of its field; the last one counts
    /// unknown fields. All zero between messages, so that a tiny message costs little.
    var counts: [Int] = []
    var counted: [Int] = []
    /// Whether a closed enum's number without a name was met: a map's entry with one is an unknown field itself.
    private var hasMetUnnamed = false

    init(_ source: UnsafePointer<UInt8>, in arena: Arena) {
        self.source = source
        self.arena = arena
    }

    mutating func unpack(_ rules: AdmissionRules, count: Int) throws(Malformed) -> Message {
        let message = try makeMessage(rules)
        var cursor = WireCursor(at: source, end: source + count, start: source)
        try fill(message, rules, &cursor)
        return message
    }

    private func makeMessage(_ rules: AdmissionRules) throws(Malformed) -> Message {
        let byteCount = rules.table.pointee.byteCount
        let message = try allocate(byteCount)
        message.initializeMemory(as: UInt64.self, repeating: 0, count: byteCount / 8)
        message.storeBytes(of: rules.table.pointee.descriptor, as: UnsafeRawPointer.self)
        return message
    }

    func allocate(_ byteCount: Int) throws(Malformed) -> UnsafeMutableRawPointer {
        guard let memory = arena.allocateWithinBudget(byteCount) else { throw Malformed(reason: .memory, offset: 0) }
        return memory
    }

    private mutating func fill(
        _ message: Message, _ rules: AdmissionRules, _ cursor: inout WireCursor
    ) throws(Malformed) {
        if rules.table.pointee.hasLists { try reserveLists(message, rules, cursor) }
        while !cursor.isAtEnd {
            let begin = cursor.at
            let tag = try cursor.tag()
            if tag & 7 == WireType.endGroup { return }
            let content = cursor.at
            if let field = rules.find(tag >> 3), try read(field, tag, &cursor, message) { continue }
            cursor.at = content
            try cursor.skipField(tag, depth: .max)
            try keep(tag, begin, content, cursor.at, message)
        }
    }

    /// Reads one occurrence of a field; false if it has to be kept as an unknown one.
    private mutating func read(
        _ field: UnsafePointer<Field>, _ tag: UInt32, _ cursor: inout WireCursor, _ message: Message
    ) throws(Malformed) -> Bool {
        let wireType = tag & 7
        guard wireType == field.pointee.wireType else {
            guard wireType == WireType.delimited, let packedType = field.pointee.packedType else { return false }
            try readPacked(field, packedType, &cursor, message)
            return true
        }
        switch field.pointee.encoding {
        case .message:
            return try readMessage(field, &cursor, message)
        case .data:
            let end = try cursor.contentEnd()
            let slot = DataSlot(count: end - cursor.at, start: cursor.at)
            try place(of: field, in: message).storeBytes(of: slot, as: DataSlot.self)
            cursor.at = end
        default:
            let bits = try cursor.bits(wireType)
            guard field.pointee.admits(bits) else {
                hasMetUnnamed = true
                return false
            }
            try place(of: field, in: message).store(bits, field.pointee.encoding)
        }
        return true
    }

    private mutating func readPacked(
        _ field: UnsafePointer<Field>, _ type: UInt32, _ cursor: inout WireCursor, _ message: Message
    ) throws(Malformed) {
        let end = try cursor.contentEnd()
        while cursor.at < end {
            let begin = cursor.at
            let bits = try cursor.bits(type)
            if field.pointee.admits(bits) {
                try place(of: field, in: message).store(bits, field.pointee.encoding)
            } else {
                try addUnknown(field.pointee.number << 3 | type, begin, cursor.at, message)
            }
        }
    }

    private mutating func readMessage(
        _ field: UnsafePointer<Field>, _ cursor: inout WireCursor, _ message: Message
    ) throws(Malformed) -> Bool {
        guard let rules = field.pointee.child else { return false }
        if field.pointee.isMap { return try readEntry(field, rules, &cursor, message) }
        if let known = child(field.pointee, in: message) {
            try readContent(field.pointee, rules, &cursor, known)
        } else {
            let new = try makeMessage(rules)
            try place(of: field, in: message).storeBytes(of: new, as: Message.self)
            try readContent(field.pointee, rules, &cursor, new)
        }
        return true
    }

    /// The message that more of the field is merged into: nil in lists, and where the field is not set yet.
    private func child(_ field: Field, in message: Message) -> Message? {
        switch field.place {
        case .list: return nil
        case .oneof where message.load(fromByteOffset: field.byte + 16, as: UInt32.self) != field.number: return nil
        default: return message.load(fromByteOffset: field.byte, as: Message?.self)
        }
    }

    private mutating func readEntry(
        _ field: UnsafePointer<Field>, _ rules: AdmissionRules, _ cursor: inout WireCursor, _ message: Message
    ) throws(Malformed) -> Bool {
        let entry = try makeMessage(rules)
        let before = hasMetUnnamed
        hasMetUnnamed = false
        try readContent(field.pointee, rules, &cursor, entry)
        let isUnnamed = hasMetUnnamed && rules.find(2)?.pointee.closedEnum != nil
        hasMetUnnamed = before
        if isUnnamed { return false }
        try place(of: field, in: message).storeBytes(of: entry, as: Message.self)
        return true
    }

    private mutating func readContent(
        _ field: Field, _ rules: AdmissionRules, _ cursor: inout WireCursor, _ target: Message
    ) throws(Malformed) {
        // A group ends with a tag, which `fill` stops behind.
        if field.wireType == WireType.startGroup { return try fill(target, rules, &cursor) }
        let end = try cursor.contentEnd()
        var inner = WireCursor(at: cursor.at, end: end, start: cursor.start)
        try fill(target, rules, &inner)
        cursor.at = end
    }

    /// Where the next value of the field goes; the field is set from then on.
    @inline(__always)
    private func place(of field: UnsafePointer<Field>, in message: Message) throws(Malformed) -> Message {
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
            let count = message.load(fromByteOffset: byte, as: Int.self)
            let size = field.pointee.encoding.size
            let list = try room(at: message + byte + 8, count, for: 1, of: size)
            message.storeBytes(of: count + 1, toByteOffset: byte, as: Int.self)
            return list + count * size
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Stores the bits of a scalar as protobuf-c's structs have them.
    @inline(__always)
    fileprivate func store(_ bits: UInt64, _ encoding: AdmissionRules.Field.Encoding) {
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
    fileprivate mutating func bits(_ wireType: UInt32) throws(Malformed) -> UInt64 {
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
}
