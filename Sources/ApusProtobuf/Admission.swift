// SPDX-License-Identifier: Apache-2.0

/// The pre-pass over a message's bytes: refuses what is malformed, and finds out whether libprotobuf-c can take them
/// as they are. Linear in the bytes.
///
/// libprotobuf-c 1.4.1 has no recursion limit, merges in quadratic time, refuses groups and unexpected wire types,
/// checks neither UTF-8 nor field numbers, and keeps a table of all fields of a message while it reads.
struct Admission {
    /// Contents from this size on are not copied on their way: see ``Unpacker``.
    private static let largeSize = 1024
    /// Messages with more fields than this would take more memory for the table of them than for the fields.
    private static let manyMembers = 4096

    /// Whether there is something that libprotobuf-c would mishandle: see ``Unpacker``.
    private(set) var needsUnpacker = false
    /// What the messages in lists and maps will take at least: no time is spent on what cannot fit.
    private var memoryLeft: Int

    /// - Parameter budget: the bytes that the unpacked message may take.
    init(budget: Int) { memoryLeft = budget }

    /// Checks a message and all messages in it; `depth` more levels are allowed below it. A group ends with its tag.
    mutating func admit(
        _ rules: AdmissionRules, _ cursor: inout WireCursor, depth: Int, group: UInt32 = 0
    ) throws(Malformed) {
        var seen: UInt64 = 0
        var members = 0
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            members &+= 1
            guard let field = rules.find(tag >> 3) else {
                if try cursor.ends(group, tag) { return }
                try skipUnknown(tag, &cursor, depth: depth)
                continue
            }
            guard field.pointee.wireType == tag & 7 else {
                if try cursor.ends(group, tag) { return }
                try admitOddly(field.pointee, tag, &cursor, depth: depth)
                continue
            }
            if let merged = field.pointee.merged {
                // Beyond 63 such fields a bit is shared: unpacking with care once too often does no harm.
                let bit: UInt64 = 1 << UInt64(min(merged, 63))
                if seen & bit != 0 { needsUnpacker = true }
                seen |= bit
            }
            switch tag & 7 {
            case WireType.varint: try admitVarint(field, &cursor)
            case WireType.fixed64: try cursor.skip(8)
            case WireType.fixed32: try cursor.skip(4)
            case WireType.delimited: try admitContent(field, &cursor, depth: depth)
            default: try admitGroup(field.pointee, &cursor, depth: depth)
            }
        }
        if members > Self.manyMembers { needsUnpacker = true }
        if group != 0 { throw cursor.malformed(.group) }
    }

    @inline(__always)
    private mutating func admitVarint(
        _ field: UnsafePointer<AdmissionRules.Field>, _ cursor: inout WireCursor
    ) throws(Malformed) {
        guard let closed = field.pointee.closedEnum else { return try cursor.skipVarint() }
        if !closed.holds(try cursor.varint()) { needsUnpacker = true }
    }

    @inline(__always)
    private mutating func admitContent(
        _ field: UnsafePointer<AdmissionRules.Field>, _ cursor: inout WireCursor, depth: Int
    ) throws(Malformed) {
        let end = try cursor.contentEnd()
        switch field.pointee.content {
        case .text:
            guard isUTF8(cursor.at, end) else { throw cursor.malformed(.utf8).inside(field.pointee.number) }
            if end - cursor.at >= Self.largeSize { needsUnpacker = true }
            cursor.at = end
        case .message:
            try admitChild(field.pointee, &cursor, until: end, depth: depth)
        case .plain:
            if end - cursor.at >= Self.largeSize { needsUnpacker = true }
            cursor.at = end
        }
    }

    private mutating func admitChild(
        _ field: AdmissionRules.Field, _ cursor: inout WireCursor, until end: WireCursor.Bytes, depth: Int
    ) throws(Malformed) {
        guard let rules = try child(field, cursor, depth: depth) else { return }
        var inner = WireCursor(at: cursor.at, end: end, start: cursor.start)
        do {
            try admit(rules, &inner, depth: depth - 1)
        } catch {
            throw error.inside(field.number)
        }
        cursor.at = end
    }

    private mutating func admitGroup(
        _ field: AdmissionRules.Field, _ cursor: inout WireCursor, depth: Int
    ) throws(Malformed) {
        needsUnpacker = true
        guard let rules = try child(field, cursor, depth: depth) else { return }
        do {
            try admit(rules, &cursor, depth: depth - 1, group: field.number)
        } catch {
            throw error.inside(field.number)
        }
    }

    @inline(__always)
    private mutating func child(
        _ field: AdmissionRules.Field, _ cursor: WireCursor, depth: Int
    ) throws(Malformed) -> AdmissionRules? {
        guard depth > 0 else { throw cursor.malformed(.depth) }
        guard let rules = field.child else { return nil }
        if field.merged == nil {
            memoryLeft -= rules.table.pointee.byteCount
            guard memoryLeft >= 0 else { throw cursor.malformed(.memory) }
        }
        return rules
    }

    private mutating func skipUnknown(_ tag: UInt32, _ cursor: inout WireCursor, depth: Int) throws(Malformed) {
        if tag & 7 == WireType.startGroup { needsUnpacker = true }
        try cursor.skipField(tag, depth: depth)
    }

    /// A known field with another wire type than its own: a packed run, or else an unknown field.
    private mutating func admitOddly(
        _ field: AdmissionRules.Field, _ tag: UInt32, _ cursor: inout WireCursor, depth: Int
    ) throws(Malformed) {
        guard tag & 7 == WireType.delimited, let packedType = field.packedType else {
            needsUnpacker = true
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
                if !closed.holds(try run.varint()) { needsUnpacker = true }
            }
        } catch {
            throw error.inside(field.number)
        }
    }
}

extension WireCursor {
    /// Whether the tag ends the group that is being read; 0 for none.
    fileprivate func ends(_ group: UInt32, _ tag: UInt32) throws(Malformed) -> Bool {
        guard tag & 7 == WireType.endGroup else { return false }
        guard group != 0, tag >> 3 == group else { throw malformed(.group) }
        return true
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
