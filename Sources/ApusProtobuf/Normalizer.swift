// SPDX-License-Identifier: Apache-2.0

/// Rewrites an admitted message into one that means the same and that libprotobuf-c takes: linear in the bytes.
///
/// - The occurrences of a singular message become one: concatenation *is* merging in protobuf.
/// - Of a oneof with a message in it, only the member that was set last remains, merged if it is a message.
/// - Groups, fields of an unexpected wire type and unknown values of closed enums are carried as content of an
///   unknown field with a number that no field can have; ``UnknownFields`` takes them out again.
///
/// Source: protobuf *Encoding*, Last One Wins.
struct Normalizer {
    /// The number of the fields that carry others: one above the largest legal number.
    static let carrierNumber: UInt32 = 1 << 29
    // Tag of the carrier: a varint of (1 << 29) << 3 | 2.
    private static let carrierTag: [UInt8] = [0x82, 0x80, 0x80, 0x80, 0x10]

    /// A stretch of the message that belongs to one field, and the one that follows it in its list.
    private struct Piece {
        let start: UInt32
        let end: UInt32
        var next: Int32 = -1
    }

    /// The pieces of one field that is merged. For a oneof, of the member that was set last.
    private struct Group {
        var field: UnsafePointer<AdmissionRules.Field>?
        var first: Int32 = -1
        var last: Int32 = -1
    }

    private let source: UnsafePointer<UInt8>
    // Shared by all levels of nesting, so that a tiny message costs no allocation.
    private var pieces: [Piece] = []
    private var groups: [Group] = []
    private(set) var output: [UInt8] = []
    /// Where the content of the last carrier begins and ends.
    private var carrier: (content: Int, end: Int)?

    /// - Parameter count: at most 2 GiB.
    init(_ source: UnsafePointer<UInt8>, count: Int) {
        self.source = source
        output.reserveCapacity(count + count / 4 + 64)
    }

    mutating func normalize(_ rules: AdmissionRules, count: Int) throws(Malformed) {
        pieces.append(Piece(start: 0, end: UInt32(count)))
        try normalize(rules, from: 0)
    }

    /// Writes the message whose bytes are the pieces from `first` on.
    private mutating func normalize(_ rules: AdmissionRules, from first: Int32) throws(Malformed) {
        let groupBase = groups.count
        groups.append(contentsOf: repeatElement(Group(), count: rules.table.pointee.mergedCount))
        var index = first
        while index >= 0 {
            let piece = pieces[Int(index)]
            try copyFields(rules, piece, groupBase)
            index = piece.next
        }
        for group in groupBase..<(groupBase + rules.table.pointee.mergedCount) { try write(groups[group]) }
        groups.removeLast(groups.count - groupBase)
    }

    private mutating func copyFields(
        _ rules: AdmissionRules, _ piece: Piece, _ groupBase: Int
    ) throws(Malformed) {
        var cursor = WireCursor(at: source + Int(piece.start), end: source + Int(piece.end), start: source)
        while !cursor.isAtEnd {
            let begin = cursor.at
            let tag = try cursor.tag()
            guard let field = rules.find(tag >> 3) else {
                try cursor.skipField(tag, depth: Admission.maximumDepth)
                if tag & 7 == WireType.startGroup { carry(begin, cursor.at) } else { copy(begin, cursor.at) }
                continue
            }
            try copyField(field, tag, begin, &cursor, groupBase)
        }
    }

    private mutating func copyField(
        _ field: UnsafePointer<AdmissionRules.Field>, _ tag: UInt32, _ begin: UnsafePointer<UInt8>,
        _ cursor: inout WireCursor, _ groupBase: Int
    ) throws(Malformed) {
        let isDelimited = tag & 7 == WireType.delimited
        if field.pointee.closedEnum != nil, tag & 7 == WireType.varint || isDelimited && field.pointee.packedType != nil
        {
            return try copyClosedEnum(field, tag, begin, &cursor, groupBase)
        }
        guard field.pointee.wireType == tag & 7 else {
            try cursor.skipField(tag, depth: Admission.maximumDepth)
            if isDelimited, field.pointee.packedType != nil { copy(begin, cursor.at) } else { carry(begin, cursor.at) }
            return
        }
        if field.pointee.content == .message {
            let end = try cursor.contentEnd()
            let content = cursor.at
            cursor.at = end
            if let merged = field.pointee.merged {
                collect(field, content, end, into: groupBase + merged)
            } else {
                try writeMessage(field.pointee, pieces: addPiece(content, end))
            }
            return
        }
        try cursor.skipField(tag, depth: 0)
        if let merged = field.pointee.merged {
            collect(field, begin, cursor.at, into: groupBase + merged)
        } else {
            copy(begin, cursor.at)
        }
    }

    /// Values without a name are carried one by one, the others copied as single elements.
    private mutating func copyClosedEnum(
        _ field: UnsafePointer<AdmissionRules.Field>, _ tag: UInt32, _ begin: UnsafePointer<UInt8>,
        _ cursor: inout WireCursor, _ groupBase: Int
    ) throws(Malformed) {
        guard tag & 7 == WireType.varint else { return try copyPackedEnum(field.pointee, &cursor) }
        let isKnown = field.pointee.closedEnum?.holds(try cursor.varint()) ?? true
        if !isKnown {
            carry(begin, cursor.at)
        } else if let merged = field.pointee.merged {
            collect(field, begin, cursor.at, into: groupBase + merged)
        } else {
            copy(begin, cursor.at)
        }
    }

    private mutating func copyPackedEnum(
        _ field: AdmissionRules.Field, _ cursor: inout WireCursor
    ) throws(Malformed) {
        let end = try cursor.contentEnd()
        while cursor.at < end {
            let value = try cursor.varint()
            let isKnown = field.closedEnum?.holds(value) ?? true
            let content = isKnown ? nil : beginCarrier()
            output.appendVarint(UInt64(field.number << 3 | WireType.varint))
            output.appendVarint(value)
            if let content { endCarrier(content) }
        }
    }

    private mutating func collect(
        _ field: UnsafePointer<AdmissionRules.Field>, _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        into group: Int
    ) {
        let piece = addPiece(start, end)
        if groups[group].field == field, field.pointee.content == .message {
            pieces[Int(groups[group].last)].next = piece
            groups[group].last = piece
        } else {
            groups[group] = Group(field: field, first: piece, last: piece)
        }
    }

    private mutating func write(_ group: Group) throws(Malformed) {
        guard let field = group.field else { return }
        if field.pointee.content == .message {
            try writeMessage(field.pointee, pieces: group.first)
        } else {
            let piece = pieces[Int(group.first)]
            copy(source + Int(piece.start), source + Int(piece.end))
        }
    }

    private mutating func writeMessage(_ field: AdmissionRules.Field, pieces first: Int32) throws(Malformed) {
        output.appendVarint(UInt64(field.number << 3 | WireType.delimited))
        let length = reserveLength()
        if let rules = field.child { try normalize(rules, from: first) }
        fillLength(at: length)
        // A carrier inside of that message is no place for fields outside of it.
        carrier = nil
    }

    private mutating func carry(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        let content = beginCarrier()
        copy(start, end)
        endCarrier(content)
    }

    /// Goes on with the carrier that was written last, if nothing follows it yet.
    private mutating func beginCarrier() -> Int {
        if let carrier, carrier.end == output.count { return carrier.content }
        output.append(contentsOf: Self.carrierTag)
        return reserveLength()
    }

    private mutating func endCarrier(_ content: Int) {
        fillLength(at: content)
        carrier = (content, output.count)
    }

    private mutating func copy(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        output.append(contentsOf: UnsafeBufferPointer(start: start, count: end - start))
    }

    private mutating func addPiece(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int32 {
        pieces.append(Piece(start: UInt32(start - source), end: UInt32(end - source)))
        return Int32(pieces.count - 1)
    }

    /// A length is not known before its content is written: it always takes five bytes, which is legal.
    private mutating func reserveLength() -> Int {
        output.append(contentsOf: [0x80, 0x80, 0x80, 0x80, 0])
        return output.count
    }

    private mutating func fillLength(at content: Int) {
        let length = output.count - content
        for index in 0..<4 { output[content - 5 + index] = UInt8(length >> (7 * index) & 0x7F) | 0x80 }
        output[content - 1] = UInt8(length >> 28 & 0x7F)
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
