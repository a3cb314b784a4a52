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
}

/// An enum of a .proto file.
public protocol ProtobufEnum: Sendable, Hashable {
    /// The enum's table.
    static var schema: EnumSchema { get }

    /// The value with this number; numbers without a name are values too.
    init(rawValue: Int32)

    /// The number on the wire.
    var rawValue: Int32 { get }
}
