// SPDX-License-Identifier: Apache-2.0

/// Whether the bytes are well-formed UTF-8. Source: Unicode 15, table 3-7.
@inline(__always)
func isUTF8(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
    isASCII(start, end - start) || isLongUTF8(start, end)
}

/// What most texts are. Eight bytes at a time; the last eight may overlap those before.
@inline(__always)
private func isASCII(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let bytes = UnsafeRawPointer(start)
    guard count >= 8 else { return isShortASCII(bytes, count) }
    var bits = (bytes + (count &- 8)).loadUnaligned(as: UInt64.self)
    var offset = 0
    while offset < count &- 8 {
        bits |= (bytes + offset).loadUnaligned(as: UInt64.self)
        offset &+= 8
    }
    return bits & 0x8080_8080_8080_8080 == 0
}

@inline(__always)
private func isShortASCII(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
    if count >= 4 {
        let first = bytes.loadUnaligned(as: UInt32.self)
        return (first | (bytes + (count &- 4)).loadUnaligned(as: UInt32.self)) & 0x8080_8080 == 0
    }
    guard count > 0 else { return true }
    let first = bytes.load(as: UInt8.self) | bytes.load(fromByteOffset: count / 2, as: UInt8.self)
    return (first | bytes.load(fromByteOffset: count - 1, as: UInt8.self)) < 0x80
}

@inline(never)
private func isLongUTF8(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
    var at = start
    while at < end {
        while end - at >= 8 {
            let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
            guard word & 0x8080_8080_8080_8080 == 0 else { break }
            at += 8
        }
        guard at < end else { break }
        let first = at.pointee
        if first < 0x80 {
            at += 1
            continue
        }
        let length = sequenceLength(first)
        guard length > 0, end - at >= length, secondBytes(after: first).contains(at[1]) else { return false }
        for index in 2..<max(2, length) where at[index] & 0xC0 != 0x80 { return false }
        at += length
    }
    return true
}

private func sequenceLength(_ first: UInt8) -> Int {
    switch first {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 0
    }
}

/// The second byte excludes overlong forms, surrogates and what is above U+10FFFF.
private func secondBytes(after first: UInt8) -> ClosedRange<UInt8> {
    switch first {
    case 0xE0: 0xA0...0xBF
    case 0xED: 0x80...0x9F
    case 0xF0: 0x90...0xBF
    case 0xF4: 0x80...0x8F
    default: 0x80...0xBF
    }
}
