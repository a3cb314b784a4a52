// SPDX-License-Identifier: Apache-2.0

/// Field masks as JSON writes them: `user.displayName,photo`. Source: google/protobuf/field_mask.proto.
enum FieldMaskText {
    static func text(_ paths: [String]) throws(JSONFailure) -> String {
        var names: [String] = []
        for path in paths {
            let name = FieldSchema.jsonName(of: path)
            guard snake(name) == path, !name.isEmpty, name.utf8.allSatisfy(isLegal) else {
                throw JSONFailure("the path '\(path)' cannot be told from others in JSON")
            }
            names.append(name)
        }
        return names.joined(separator: ",")
    }

    static func parse(_ text: String) throws(JSONFailure) -> [String] {
        if text.isEmpty { return [] }
        var paths: [String] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !name.isEmpty, name.utf8.allSatisfy(isLegal) else {
                throw JSONFailure("'\(name)' is no path in JSON's form")
            }
            paths.append(snake(String(name)))
        }
        return paths
    }

    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func snake(_ name: String) -> String {
        var snake: [UInt8] = []
        for byte in name.utf8 {
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
                snake += [UInt8(ascii: "_"), byte + 32]
            } else {
                snake.append(byte)
            }
        }
        return String(decoding: snake, as: UTF8.self)
    }
}
