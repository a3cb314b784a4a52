// SPDX-License-Identifier: Apache-2.0

/// Wire format by hand: for bytes that no encoder writes.
enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func tag(_ number: UInt64, _ wireType: UInt64) -> [UInt8] { varint(number << 3 | wireType) }

    static func number(_ number: UInt64, _ value: UInt64) -> [UInt8] { tag(number, 0) + varint(value) }

    static func data(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        tag(number, 2) + varint(UInt64(content.count)) + content
    }

    static func text(_ number: UInt64, _ text: String) -> [UInt8] { data(number, Array(text.utf8)) }

    static func group(_ number: UInt64, _ content: [UInt8]) -> [UInt8] { tag(number, 3) + content + tag(number, 4) }

    /// A message in a message in a message …, `depth` times, in field `number`.
    static func nested(_ depth: Int, in number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<depth { bytes = data(number, bytes) }
        return bytes
    }
}
