// SPDX-License-Identifier: Apache-2.0

/// Reads wire-format elements between two pointers into a message that outlives the cursor; never reads past `end`.
struct WireCursor {
    typealias Bytes = UnsafePointer<UInt8>

    var at: Bytes
    let end: Bytes
    /// The beginning of the outermost message, for offsets in errors.
    let start: Bytes

    @inline(__always)
    var isAtEnd: Bool { at >= end }

    func malformed(_ reason: Malformed.Reason) -> Malformed { Malformed(reason: reason, offset: at - start) }

    /// A tag of at most five bytes and 32 bits, with a legal field number.
    @inline(__always)
    mutating func tag() throws(Malformed) -> UInt32 {
        let first = UInt32(at.pointee)
        guard first >= 8, first < 0x80 else { return try longTag() }
        at += 1
        return first
    }

    @inline(never)
    private mutating func longTag() throws(Malformed) -> UInt32 {
        let field = at
        var tag: UInt64 = 0
        for index in 0..<5 {
            guard field + index < end else { throw malformed(.truncated) }
            let byte = field[index]
            tag |= UInt64(byte & 0x7F) << (7 * UInt64(index))
            guard byte < 0x80 else { continue }
            guard tag >> 3 != 0, tag <= UInt64(UInt32.max) else { break }
            at = field + index + 1
            return UInt32(tag)
        }
        throw malformed(.tag)
    }

    @inline(__always)
    mutating func skipVarint() throws(Malformed) {
        guard at < end else { throw malformed(.truncated) }
        if at.pointee < 0x80 {
            at += 1
        } else {
            _ = try varint()
        }
    }

    /// A number of at most ten bytes; bits above the 64th are dropped.
    @inline(__always)
    mutating func varint() throws(Malformed) -> UInt64 {
        guard at < end, at.pointee < 0x80 else { return try longVarint() }
        defer { at += 1 }
        return UInt64(at.pointee)
    }

    @inline(never)
    private mutating func longVarint() throws(Malformed) -> UInt64 {
        if end - at >= 10 { return try longVarintUnbounded() }
        var value: UInt64 = 0
        for index in 0..<10 {
            guard at + index < end else { throw malformed(.truncated) }
            let byte = at[index]
            value |= UInt64(byte & 0x7F) << (7 * UInt64(index))
            if byte < 0x80 {
                at += index + 1
                return value
            }
        }
        throw malformed(.varint)
    }

    /// The same where no number can go past the end.
    @inline(__always)
    private mutating func longVarintUnbounded() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var next = at
        repeat {
            let byte = next.pointee
            next += 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                at = next
                return value
            }
            shift &+= 7
        } while shift < 70
        throw malformed(.varint)
    }

    @inline(__always)
    mutating func skip(_ count: Int) throws(Malformed) {
        guard end - at >= count else { throw malformed(.truncated) }
        at += count
    }

    /// A length prefix: the cursor stops at the first byte behind it; the answer is the end of the content.
    @inline(__always)
    mutating func contentEnd() throws(Malformed) -> Bytes {
        guard at < end else { throw malformed(.truncated) }
        let first = Int(at.pointee)
        guard first < 0x80, end - at > first else { return try longContentEnd() }
        at += 1
        return at + first
    }

    @inline(never)
    private mutating func longContentEnd() throws(Malformed) -> Bytes {
        var length = 0
        for index in 0..<5 {
            guard at + index < end else { throw malformed(.truncated) }
            let byte = at[index]
            length |= Int(byte & 0x7F) << (7 * index)
            guard byte < 0x80 else { continue }
            let content = at + index + 1
            guard length <= Int(Int32.max), end - content >= length else { break }
            at = content
            return content + length
        }
        throw malformed(.overrun)
    }

    /// Skips the content of a field whose tag was read. Groups nest at most `depth` levels.
    mutating func skipField(_ tag: UInt32, depth: Int) throws(Malformed) {
        switch tag & 7 {
        case WireType.varint: try skipVarint()
        case WireType.fixed64: try skip(8)
        case WireType.fixed32: try skip(4)
        case WireType.delimited: at = try contentEnd()
        case WireType.startGroup: try skipGroup(tag >> 3, depth: depth)
        case WireType.endGroup: throw malformed(.group)
        default: throw malformed(.wireType)
        }
    }

    private mutating func skipGroup(_ number: UInt32, depth: Int) throws(Malformed) {
        guard depth > 0 else { throw malformed(.depth) }
        while !isAtEnd {
            let tag = try tag()
            if tag & 7 == WireType.endGroup {
                guard tag >> 3 == number else { throw malformed(.group) }
                return
            }
            try skipField(tag, depth: depth - 1)
        }
        throw malformed(.group)
    }
}
