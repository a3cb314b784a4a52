// SPDX-License-Identifier: Apache-2.0

extension UnknownFields {
    // Items of a message set are groups of field 1: the type's number in field 2, the message in field 3.
    // Source: google/protobuf/descriptor.proto, message_set_wire_format.
    private static let itemStart: UInt32 = 1 << 3 | WireType.startGroup

    /// All occurrences of a field.
    func field(_ number: Int) -> [UInt8] {
        var found: [UInt8] = []
        scan { tag, field, _ in if tag >> 3 == UInt32(truncatingIfNeeded: number) { found += field } }
        return found
    }

    /// The numbers of the fields, in the order in which they first occur.
    var numbers: [Int] {
        var numbers: [Int] = []
        scan { tag, _, _ in if !numbers.contains(Int(tag >> 3)) { numbers.append(Int(tag >> 3)) } }
        return numbers
    }

    /// Removes a field and puts these bytes behind the others.
    mutating func replace(_ number: Int, with new: [UInt8]) {
        keep { tag, _ in tag >> 3 != UInt32(truncatingIfNeeded: number) }
        append(new)
    }

    /// The messages of a message set's items with this number, as a field with this number: what writers that do not
    /// know of message sets make of it, too.
    func messageSetItem(_ number: Int) -> [UInt8] {
        var found: [UInt8] = []
        scan { tag, field, content in
            if tag == UInt32(truncatingIfNeeded: number) << 3 | WireType.delimited { found += field }
            guard tag == Self.itemStart, let item = Self.item(content), item.number == number else { return }
            found.appendVarint(UInt64(number) << 3 | UInt64(WireType.delimited))
            found.appendVarint(UInt64(item.message.count))
            found += item.message
        }
        return found
    }

    /// Replaces the item with this number by the message in a field with this number; no field removes it.
    mutating func replaceMessageSetItem(_ number: Int, with field: [UInt8]) {
        keep { tag, content in
            tag >> 3 != UInt32(truncatingIfNeeded: number)
                && (tag != Self.itemStart || Self.item(content)?.number != number)
        }
        UnknownFields(bytes: field).scan { _, _, content in
            var item: [UInt8] = [0x0B, 0x10]
            item.appendVarint(UInt64(number))
            item.append(0x1A)
            // The content of a delimited field begins with its length.
            append(item + content + [0x0C])
        }
    }

    private static func item(_ content: ArraySlice<UInt8>) -> (number: Int, message: [UInt8])? {
        // Reading stops at the end tag.
        let fields = UnknownFields(bytes: Array(content))
        var number: UInt64?
        var message: [UInt8] = []
        fields.scan { tag, _, content in
            if tag == 2 << 3 | WireType.varint, number == nil { number = content.varint?.value }
            if tag == 3 << 3 | WireType.delimited, let length = content.varint {
                message += content.dropFirst(length.count)
            }
        }
        return number.map { (Int(truncatingIfNeeded: $0), message) }
    }

    private mutating func keep(_ isKept: (UInt32, ArraySlice<UInt8>) -> Bool) {
        var kept: [UInt8] = []
        scan { tag, field, content in if isKept(tag, content) { kept += field } }
        self = UnknownFields(bytes: kept)
    }

    /// Calls `body` with each field's tag, its bytes, and those behind its tag. The bytes were admitted before.
    func scan(_ body: (UInt32, ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            var cursor = WireCursor(at: start, end: start + buffer.count, start: start)
            while !cursor.isAtEnd {
                let begin = cursor.at - start
                guard let tag = try? cursor.tag() else { return }
                let content = cursor.at - start
                guard (try? cursor.skipField(tag, depth: .max)) != nil else { return }
                body(tag, bytes[begin..<(cursor.at - start)], bytes[content..<(cursor.at - start)])
            }
        }
    }
}

extension Collection<UInt8> {
    /// The varint that the bytes begin with, and how many bytes it takes.
    var varint: (value: UInt64, count: Int)? {
        var value: UInt64 = 0
        for (index, byte) in prefix(10).enumerated() {
            value |= UInt64(byte & 0x7F) << (7 * UInt64(index))
            if byte < 0x80 { return (value, index + 1) }
        }
        return nil
    }
}
