// SPDX-License-Identifier: Apache-2.0

/// The default that a .proto file gives a field, as Swift writes it.
/// Source: google/protobuf/descriptor.proto, FieldDescriptorProto.default_value.
enum DefaultValue {
    static func expression(_ text: String, _ field: FieldDescriptorProto, _ index: TypeIndex) -> String {
        switch field.type {
        case 1, 2: number(text)
        case 9: SwiftName.literal(text)
        case 12: "[\(bytes(text).map(String.init).joined(separator: ", "))]"
        case 14: enumCase(text, index[field.typeName]?.enumeration)
        default: text
        }
    }

    private static func number(_ text: String) -> String {
        switch text {
        case "inf": ".infinity"
        case "-inf": "-.infinity"
        case "nan": ".nan"
        default: text
        }
    }

    private static func enumCase(_ name: String, _ enumeration: EnumDescriptorProto?) -> String {
        guard let enumeration, let value = enumeration.value.first(where: { $0.name == name }),
            let reference = EnumModel.reference(to: value, in: enumeration)
        else { return name }
        return ".\(reference)"
    }

    /// Bytes are escaped as in C.
    private static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            bytes.append(unescaped(escaped, &rest))
        }
        return bytes
    }

    private static func unescaped(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            var value = UInt32(byte & 7)
            while let next = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(next), value < 0o40 {
                value = value << 3 | UInt32(next & 7)
                rest.removeFirst()
            }
            return UInt8(truncatingIfNeeded: value)
        default: return byte
        }
    }
}
