// SPDX-License-Identifier: Apache-2.0

/// Turns a name that a user chose into the name of a file or folder, and never into a path.
///
/// ASCII letters, digits, `-`, `_` and `.` stay; every other byte, and a `.` in front, becomes `%` and two digits. So
/// no name can be `..`, hide itself, or leave its folder, and different names stay different.
enum EntryName {
    /// Leaves room for a suffix and for a temporary name within the 255 bytes of common file systems.
    static let maximumCount = 180

    /// The file name of a user's name; nil when it is empty or too long.
    static func encoded(_ name: String) -> String? {
        var result = ""
        for byte in name.utf8 {
            if isPlain(byte), byte != UInt8(ascii: ".") || !result.isEmpty {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return (1...maximumCount).contains(result.utf8.count) ? result : nil
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
