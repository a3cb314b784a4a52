// SPDX-License-Identifier: Apache-2.0

/// Standard base64, for `-bin` metadata and embedded descriptors: written without padding, read with or without.
/// Source: RFC 4648, section 4.
package enum Base64 {
    // A literal's bytes are there before anybody asks.
    private static var alphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" }

    // 64 stands for a byte outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for value in 0..<64 { values[Int(alphabet.utf8Start[value])] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: (bytes.count * 4 + 2) / 3) { text, count in
            let letters = alphabet.utf8Start
            var (bits, waiting) = (UInt32(0), 0)
            for byte in bytes {
                bits = bits << 8 | UInt32(byte)
                waiting += 8
                while waiting >= 6 {
                    waiting -= 6
                    text[count] = letters[Int(bits >> waiting & 63)]
                    count += 1
                }
            }
            guard waiting > 0 else { return }
            text[count] = letters[Int(bits << (6 - waiting) & 63)]
            count += 1
        }
    }

    /// The bytes; nil for text that is no base64.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end % 4 != 1, end == text.count || text.count % 4 == 0 else { return nil }
        var isLegal = true
        let bytes = [UInt8](unsafeUninitializedCapacity: end * 3 / 4) { bytes, count in
            isLegal = values.withUnsafeBufferPointer { values in
                var (bits, waiting) = (UInt32(0), 0)
                for index in 0..<end {
                    let value = values[Int(text[index])]
                    guard value < 64 else { return false }
                    bits = bits << 6 | UInt32(value)
                    waiting += 6
                    guard waiting >= 8 else { continue }
                    waiting -= 8
                    bytes[count] = UInt8(truncatingIfNeeded: bits >> waiting)
                    count += 1
                }
                return true
            }
        }
        return isLegal ? bytes : nil
    }
}
