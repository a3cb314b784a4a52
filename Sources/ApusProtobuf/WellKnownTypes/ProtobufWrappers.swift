// SPDX-License-Identifier: Apache-2.0

// A wrapper is written as the value in it: `limit: 5`.

extension ProtobufDoubleValue: ExpressibleByFloatLiteral {
    /// The value in a message.
    public init(floatLiteral value: Double) { self.init(value: value) }
}

extension ProtobufFloatValue: ExpressibleByFloatLiteral {
    /// The value in a message.
    public init(floatLiteral value: Float) { self.init(value: value) }
}

extension ProtobufInt64Value: ExpressibleByIntegerLiteral {
    /// The value in a message.
    public init(integerLiteral value: Int64) { self.init(value: value) }
}

extension ProtobufUInt64Value: ExpressibleByIntegerLiteral {
    /// The value in a message.
    public init(integerLiteral value: UInt64) { self.init(value: value) }
}

extension ProtobufInt32Value: ExpressibleByIntegerLiteral {
    /// The value in a message.
    public init(integerLiteral value: Int32) { self.init(value: value) }
}

extension ProtobufUInt32Value: ExpressibleByIntegerLiteral {
    /// The value in a message.
    public init(integerLiteral value: UInt32) { self.init(value: value) }
}

extension ProtobufBoolValue: ExpressibleByBooleanLiteral {
    /// The value in a message.
    public init(booleanLiteral value: Bool) { self.init(value: value) }
}

extension ProtobufStringValue: ExpressibleByStringLiteral {
    /// The value in a message.
    public init(stringLiteral value: String) { self.init(value: value) }
}
