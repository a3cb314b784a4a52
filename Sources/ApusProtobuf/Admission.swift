// SPDX-License-Identifier: Apache-2.0

/// The pre-pass over a message's bytes: refuses what is malformed, and finds out whether libprotobuf-c can take them
/// as they are. Linear in the bytes.
///
/// libprotobuf-c 1.4.1 has no recursion limit, merges in quadratic time, refuses groups and unexpected wire types,
/// and checks neither UTF-8 nor field numbers.
struct Admission {
    static let maximumDepth = 100

    /// Whether there is something that libprotobuf-c would mishandle: see ``Normalizer``.
    private(set) var needsNormalizing = false
    /// A field that need not go through libprotobuf-c: nil where ``needsNormalizing``.
    private(set) var largeField: LargeField?
    /// What the messages in lists and maps will take at least: no time is spent on what cannot fit.
    private var memoryLeft: Int

    /// - Parameter budget: the bytes that the unpacked message may take.
    init(budget: Int) { memoryLeft = budget }

    /// Checks a message and all messages in it; `depth` more levels are allowed below it.
    mutating func admit(
        _ rules: AdmissionRules, _ cursor: inout WireCursor, depth: Int = maximumDepth
    ) throws(Malformed) {
        var seen: UInt64 = 0
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            guard let field = rules.find(tag >> 3) else {
                try skipUnknown(tag, &cursor, depth: depth)
                continue
            }
            guard field.pointee.wireType == tag & 7 else {
                try admitOddly(field.pointee, tag, &cursor, depth: depth)
                continue
            }
            if let merged = field.pointee.merged {
                // Beyond 63 such fields a bit is shared: normalizing once too often does no harm.
                let bit: UInt64 = 1 << UInt64(min(merged, 63))
                if seen & bit != 0 { needsNormalizing = true }
                seen |= bit
            }
            switch tag & 7 {
            case WireType.varint: try admitVarint(field, &cursor)
            case WireType.fixed64: try cursor.skip(8)
            case WireType.fixed32: try cursor.skip(4)
            default: try admitContent(field, &cursor, depth: depth)
            }
        }
    }

    @inline(__always)
    private mutating func admitVarint(
        _ field: UnsafePointer<AdmissionRules.Field>, _ cursor: inout WireCursor
    ) throws(Malformed) {
        guard let closed = field.pointee.closedEnum else { return try cursor.skipVarint() }
        if !closed.holds(try cursor.varint()) { needsNormalizing = true }
    }

    @inline(__always)
    private mutating func admitContent(
        _ field: UnsafePointer<AdmissionRules.Field>, _ cursor: inout WireCursor, depth: Int
    ) throws(Malformed) {
        let lengthStart = cursor.at
        let end = try cursor.contentEnd()
        if depth == Self.maximumDepth, end - cursor.at >= LargeField.minimumSize || largeField != nil {
            noteLarge(field.pointee, lengthStart, cursor, until: end)
        }
        switch field.pointee.content {
        case .text:
            guard isUTF8(cursor.at, end) else { throw cursor.malformed(.utf8).inside(field.pointee.number) }
            cursor.at = end
        case .message:
            try admitChild(field.pointee, &cursor, until: end, depth: depth)
        default:
            cursor.at = end
        }
    }

    /// Of a field that comes twice the last counts: it goes the usual way.
    private mutating func noteLarge(
        _ field: AdmissionRules.Field, _ lengthStart: WireCursor.Bytes, _ cursor: WireCursor,
        until end: WireCursor.Bytes
    ) {
        if let large = largeField {
            if large.number == field.number { largeField = nil }
        } else if field.dataWord != 0, end - cursor.at >= (cursor.end - cursor.start) / 2 {
            largeField = LargeField(
                number: field.number, word: field.dataWord, lengthStart: lengthStart, content: cursor.at, end: end)
        }
    }

    private mutating func admitChild(
        _ field: AdmissionRules.Field, _ cursor: inout WireCursor, until end: WireCursor.Bytes, depth: Int
    ) throws(Malformed) {
        guard depth > 0 else { throw cursor.malformed(.depth) }
        guard let rules = field.child else { return }
        if field.merged == nil {
            memoryLeft -= rules.table.pointee.byteCount
            guard memoryLeft >= 0 else { throw cursor.malformed(.memory) }
        }
        var inner = WireCursor(at: cursor.at, end: end, start: cursor.start)
        do {
            try admit(rules, &inner, depth: depth - 1)
        } catch {
            throw error.inside(field.number)
        }
        cursor.at = end
    }

    private mutating func skipUnknown(_ tag: UInt32, _ cursor: inout WireCursor, depth: Int) throws(Malformed) {
        if tag & 7 == WireType.startGroup { needsNormalizing = true }
        try cursor.skipField(tag, depth: depth)
    }

    /// A known field with another wire type than its own: a packed run, or else an unknown field.
    private mutating func admitOddly(
        _ field: AdmissionRules.Field, _ tag: UInt32, _ cursor: inout WireCursor, depth: Int
    ) throws(Malformed) {
        guard tag & 7 == WireType.delimited, let packedType = field.packedType else {
            needsNormalizing = true
            return try cursor.skipField(tag, depth: depth)
        }
        let end = try cursor.contentEnd()
        switch packedType {
        case WireType.varint: try admitPackedVarints(field, &cursor, until: end)
        case WireType.fixed64 where (end - cursor.at) % 8 == 0: break
        case WireType.fixed32 where (end - cursor.at) % 4 == 0: break
        default: throw cursor.malformed(.packed).inside(field.number)
        }
        cursor.at = end
    }

    private mutating func admitPackedVarints(
        _ field: AdmissionRules.Field, _ cursor: inout WireCursor, until end: WireCursor.Bytes
    ) throws(Malformed) {
        var run = WireCursor(at: cursor.at, end: end, start: cursor.start)
        do {
            while !run.isAtEnd {
                guard let closed = field.closedEnum else {
                    try run.skipVarint()
                    continue
                }
                if !closed.holds(try run.varint()) { needsNormalizing = true }
            }
        } catch {
            throw error.inside(field.number)
        }
    }
}

extension Malformed {
    func inside(_ number: UInt32) -> Malformed {
        var copy = self
        copy.path.append(number)
        return copy
    }
}

extension Unmanaged<EnumSchema> {
    func holds(_ value: UInt64) -> Bool {
        _withUnsafeGuaranteedRef { $0.contains(Int32(truncatingIfNeeded: value)) }
    }
}
