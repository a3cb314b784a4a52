// SPDX-License-Identifier: Apache-2.0

/// The names and numbers of an enum, and whether it admits numbers without a name.
public final class EnumSchema: Sendable {
    /// The full name in the .proto file, such as `users.v1.State`.
    public let name: String
    /// Numbers with their names, in the order of the file; aliases included.
    public let values: [(number: Int32, name: String)]
    /// Whether a number without a name is no value of the enum (proto2). Such a field is kept as an unknown one.
    public let isClosed: Bool

    private let numbers: Set<Int32>

    /// An enum's table.
    public init(_ name: String, _ values: [(number: Int32, name: String)], isClosed: Bool = false) {
        self.name = name
        self.values = values
        self.isClosed = isClosed
        numbers = Set(values.map(\.number))
    }

    func contains(_ number: Int32) -> Bool { numbers.contains(number) }

    /// The first name of a number; nil if it has none.
    public func name(of number: Int32) -> String? { values.first { $0.number == number }?.name }

    /// The number of a name; nil if there is no such name.
    public func number(of name: String) -> Int32? { values.first { $0.name == name }?.number }
}

/// An enum of a .proto file.
public protocol ProtobufEnum: Sendable, Hashable {
    /// The enum's table.
    static var schema: EnumSchema { get }

    /// The first value of the .proto file: what an absent field is.
    init()

    /// The value with this number. In an open enum numbers without a name are values too; in a closed one (proto2)
    /// there is none for them.
    init?(rawValue: Int32)

    /// The number on the wire.
    var rawValue: Int32 { get }
}

extension ProtobufEnum {
    // Bytes were checked before: a closed enum's field holds nothing but its numbers, or the zero of an absent field.
    @inlinable
    init(stored: Int32) { self = Self(rawValue: stored) ?? Self() }
}

extension Unmanaged<EnumSchema> {
    func holds(_ value: UInt64) -> Bool {
        _withUnsafeGuaranteedRef { $0.contains(Int32(truncatingIfNeeded: value)) }
    }
}
