// SPDX-License-Identifier: Apache-2.0

extension AdmissionRules {
    /// What is checked of one field, and how its values get into the struct.
    struct Field {
        enum Content: UInt8 {
            case plain
            case text
            case message
        }

        /// The bits of a value.
        enum Encoding: UInt8 {
            case int32
            case sint32
            case fixed32
            case int64
            case sint64
            case fixed64
            case bool
            case data
            case message

            /// Bytes of an element in a list.
            var size: Int {
                switch self {
                case .int32, .sint32, .fixed32, .bool: 4
                case .int64, .sint64, .fixed64, .message: 8
                case .data: 16
                }
            }
        }

        enum Place: UInt8 {
            case single
            case list
            case oneof
        }

        let number: UInt32
        let wireType: UInt32
        /// The wire type of the elements of a packed run; nil for fields that cannot be packed.
        let packedType: UInt32?
        let content: Content
        let encoding: Encoding
        let place: Place
        let isMap: Bool
        /// Bytes of an element in a list.
        let size: Int
        /// The first byte of the field in the struct.
        let byte: Int
        /// The first byte of its presence flag; 0 without.
        let flag: Int
        var child: AdmissionRules?
        /// The table is kept by its `FieldSchema`, which is never freed.
        let closedEnum: Unmanaged<EnumSchema>?

        init(_ field: FieldSchema, word: Int) {
            number = UInt32(field.number)
            byte = word * 8
            isMap = if case .map = field.shape { true } else { false }
            wireType = isMap ? WireType.delimited : field.type.wireType
            switch field.place {
            case .list: (place, flag) = (.list, 0)
            case .oneof: (place, flag) = (.oneof, 0)
            case .narrow: (place, flag) = (.single, word * 8 + 4)
            case .wide: (place, flag) = (.single, word * 8 + 8)
            case .presentData: (place, flag) = (.single, word * 8 + 16)
            case .data, .message: (place, flag) = (.single, 0)
            }
            encoding = isMap ? .message : field.type.encoding
            size = encoding.size
            let isPackable = place == .list && encoding != .data && encoding != .message
            packedType = isPackable ? wireType : nil
            content = Self.content(of: field.type, encoding)
            closedEnum = if !isMap, let schema = field.type.closedEnum { .passUnretained(schema) } else { nil }
        }

        private static func content(of type: FieldType, _ encoding: Encoding) -> Content {
            if encoding == .message { return .message }
            return if case .string = type { .text } else { .plain }
        }

        /// Whether the field is the value of a map's entry, or another, with a closed enum.
        func admits(_ value: UInt64) -> Bool { closedEnum?.holds(value) ?? true }
    }
}

extension FieldType {
    var wireType: UInt32 {
        switch self {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enumeration: WireType.varint
        case .double, .fixed64, .sfixed64: WireType.fixed64
        case .float, .fixed32, .sfixed32: WireType.fixed32
        case .string, .bytes, .message: WireType.delimited
        case .group: WireType.startGroup
        case .dynamic(let reference): reference.isGroup ? WireType.startGroup : WireType.delimited
        }
    }

    fileprivate var encoding: AdmissionRules.Field.Encoding {
        switch self {
        case .int32, .uint32, .enumeration: .int32
        case .sint32: .sint32
        case .float, .fixed32, .sfixed32: .fixed32
        case .int64, .uint64: .int64
        case .sint64: .sint64
        case .double, .fixed64, .sfixed64: .fixed64
        case .bool: .bool
        case .string, .bytes: .data
        case .message, .group, .dynamic: .message
        }
    }

    fileprivate var closedEnum: EnumSchema? {
        guard case .enumeration(let schema) = self, schema.isClosed else { return nil }
        return schema
    }
}
