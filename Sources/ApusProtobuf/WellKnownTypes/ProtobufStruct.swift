// SPDX-License-Identifier: Apache-2.0

extension ProtobufStruct: ExpressibleByDictionaryLiteral {
    /// `["name": "ada", "age": 36, "tags": ["a", "b"]]`. Of a key that comes twice the last counts.
    public init(dictionaryLiteral elements: (String, ProtobufValue)...) {
        self.init(fields: Dictionary(elements) { $1 })
    }

    /// The value of a key; nil removes it.
    public subscript(key: String) -> ProtobufValue? {
        get { fields[key] }
        set { fields[key] = newValue }
    }
}

extension ProtobufListValue: ExpressibleByArrayLiteral {
    /// `[1, "two", nil]`
    public init(arrayLiteral elements: ProtobufValue...) { self.init(values: elements) }
}

extension ProtobufValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// JSON's null.
    public init(nilLiteral: ()) { self.init(kind: .nullValue(.init())) }

    /// True or false.
    public init(booleanLiteral value: Bool) { self.init(kind: .boolValue(value)) }

    /// A number.
    public init(integerLiteral value: Int64) { self.init(kind: .numberValue(Double(value))) }

    /// A number.
    public init(floatLiteral value: Double) { self.init(kind: .numberValue(value)) }

    /// Text.
    public init(stringLiteral value: String) { self.init(kind: .stringValue(value)) }

    /// A list.
    public init(arrayLiteral elements: ProtobufValue...) {
        self.init(kind: .listValue(ProtobufListValue(values: elements)))
    }

    /// A struct. Of a key that comes twice the last counts.
    public init(dictionaryLiteral elements: (String, ProtobufValue)...) {
        self.init(kind: .structValue(ProtobufStruct(fields: Dictionary(elements) { $1 })))
    }
}

extension ProtobufValue {
    /// The number, if it is one.
    public var number: Double? { if case .numberValue(let value) = kind { value } else { nil } }

    /// The text, if it is one.
    public var string: String? { if case .stringValue(let value) = kind { value } else { nil } }

    /// The truth value, if it is one.
    public var bool: Bool? { if case .boolValue(let value) = kind { value } else { nil } }

    /// The elements, if it is a list.
    public var list: [ProtobufValue]? { if case .listValue(let value) = kind { value.values } else { nil } }

    /// The entries, if it is a struct.
    public var entries: [String: ProtobufValue]? {
        if case .structValue(let value) = kind { value.fields } else { nil }
    }
}
