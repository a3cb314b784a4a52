// SPDX-License-Identifier: Apache-2.0

// Lists. The word before a list is its capacity.
extension Unpacker {
    /// Most lists are short: these many elements have room before anything is counted.
    private static let firstCapacity = 4

    @inline(__always)
    func isFull(_ field: UnsafePointer<Field>, in message: Message) -> Bool {
        let byte = field.pointee.byte
        guard let list = message.load(fromByteOffset: byte + 8, as: Message?.self) else { return true }
        return message.load(fromByteOffset: byte, as: Int.self) >= (list - 8).load(as: Int.self)
    }

    /// The place behind the last element of a list that is not full; it is an element from then on.
    @inline(__always)
    func nextElement(of field: UnsafePointer<Field>, in message: Message) -> Message {
        let byte = field.pointee.byte
        let count = message.load(fromByteOffset: byte, as: Int.self)
        message.storeBytes(of: count + 1, toByteOffset: byte, as: Int.self)
        return message.load(fromByteOffset: byte + 8, as: Message.self) + count * field.pointee.size
    }

    /// Room for one more element at least. When a list outgrows its first room, the rest of the message is counted
    /// once, and each of its lists gets the memory it needs and no more.
    ///
    /// - Parameter rest: the message from this element's tag on.
    mutating func makeRoom(
        for field: UnsafePointer<Field>, in message: Message, _ rules: AdmissionRules, _ rest: WireCursor, depth: Int,
        _ hasCounted: inout Bool
    ) throws(Malformed) {
        let byte = field.pointee.byte
        let count = message.load(fromByteOffset: byte, as: Int.self)
        // Skipping a group reads all of it, at every level: those lists grow as they are filled.
        if count >= Self.firstCapacity, !hasCounted, !rules.table.pointee.hasGroups {
            hasCounted = true
            return try reserveLists(message, rules, rest, depth: depth)
        }
        let more = count == 0 ? Self.firstCapacity : 1
        _ = try room(at: message + byte + 8, count, for: more, of: field.pointee.size)
    }

    /// The list whose address is at `place`, with room for `more` elements.
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
        let capacity = more > 1 ? count + more : max(1, 2 * count)
        let memory = try allocate(8 + capacity * size)
        memory.storeBytes(of: capacity, as: Int.self)
        let new = memory + 8
        if let list { new.copyMemory(from: list, byteCount: count * size) }
        place.storeBytes(of: new, as: UnsafeMutableRawPointer.self)
        return new
    }

    private mutating func reserveLists(
        _ message: Message, _ rules: AdmissionRules, _ rest: WireCursor, depth: Int
    ) throws(Malformed) {
        let fields = UnsafePointer(rules.table.pointee.fields)
        while counts.count < rules.table.pointee.count { counts.append(0) }
        var cursor = rest
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            guard let field = rules.find(tag >> 3), field.pointee.place == .list else {
                try cursor.skipField(tag, depth: depth)
                continue
            }
            let index = field - fields
            if counts[index] == 0 { counted.append(index) }
            counts[index] += try elements(field, tag, &cursor, depth: depth)
        }
        for index in counted {
            let field = fields + index
            let count = message.load(fromByteOffset: field.pointee.byte, as: Int.self)
            _ = try room(at: message + field.pointee.byte + 8, count, for: counts[index], of: field.pointee.size)
            counts[index] = 0
        }
        counted.removeAll(keepingCapacity: true)
    }

    /// How many elements one occurrence of a list has, at most.
    private func elements(
        _ field: UnsafePointer<Field>, _ tag: UInt32, _ cursor: inout WireCursor, depth: Int
    ) throws(Malformed) -> Int {
        guard tag & 7 == WireType.delimited, let packedType = field.pointee.packedType else {
            try cursor.skipField(tag, depth: depth)
            return 1
        }
        let end = try cursor.contentEnd()
        defer { cursor.at = end }
        return cursor.packedCount(packedType, until: end)
    }

    /// The elements of a packed run, behind those that the list has.
    mutating func readPacked(
        _ field: UnsafePointer<Field>, _ type: UInt32, _ cursor: inout WireCursor, _ message: Message
    ) throws(Malformed) {
        let end = try cursor.contentEnd()
        do {
            try readRun(field, type, WireCursor(at: cursor.at, end: end, start: cursor.start), message)
        } catch {
            throw error.inside(field.pointee.number)
        }
        cursor.at = end
    }

    private func readRun(
        _ field: UnsafePointer<Field>, _ type: UInt32, _ start: WireCursor, _ message: Message
    ) throws(Malformed) {
        var run = start
        let byte = field.pointee.byte
        let size = field.pointee.size
        if type != WireType.varint, (run.end - run.at) % size != 0 { throw run.malformed(.packed) }
        let count = message.load(fromByteOffset: byte, as: Int.self)
        let more = run.packedCount(type, until: run.end)
        guard !run.isAtEnd else { return }
        let first = try room(at: message + byte + 8, count, for: more, of: size) + count * size
        var next = first
        while !run.isAtEnd {
            let begin = run.at
            let bits = try run.bits(type)
            if field.pointee.admits(bits) {
                next.store(bits, field.pointee.encoding)
                next += size
            } else {
                try addUnknown(field.pointee.number << 3 | type, begin, run.at, message)
            }
        }
        message.storeBytes(of: count + (next - first) / size, toByteOffset: byte, as: Int.self)
    }
}

extension WireCursor {
    /// How many elements a packed run has: numbers end with a byte below 128.
    fileprivate func packedCount(_ type: UInt32, until end: Bytes) -> Int {
        switch type {
        case WireType.fixed32: (end - at) / 4
        case WireType.fixed64: (end - at) / 8
        default: UnsafeBufferPointer(start: at, count: end - at).count { $0 < 0x80 }
        }
    }
}
