// SPDX-License-Identifier: Apache-2.0

/// `grpc-message`: UTF-8 with everything outside %x20–24 and %x26–7E percent-encoded, and the spaces at both ends too:
/// HTTP/2 allows none there. Source: gRPC over HTTP/2, *Status-Message*; RFC 9113, section 8.2.1.
package enum StatusMessageEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    package static func encode(_ message: String) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(message.utf8.count)
        let last = message.utf8.count - 1
        for (index, byte) in message.utf8.enumerated() {
            let isEdge = index == 0 || index == last
            if byte > 0x20 || (byte == 0x20 && !isEdge), byte <= 0x7e, byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return encoded
    }

    /// Never fails: what is no escape stands for itself, what is no UTF-8 is repaired.
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else { return bytes.text }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = nibble(bytes[index + 1]), let low = nibble(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
