// SPDX-License-Identifier: Apache-2.0

/// What may be a map's key: whole numbers, truth values and text. Source: protobuf language guide, *Maps*.
public protocol ProtobufMapKey: Hashable, Sendable {
    /// Whether `left` comes before `right` in a deterministic encoding.
    static func precedes(_ left: Self, _ right: Self) -> Bool
}

extension ProtobufMapKey where Self: Comparable {
    /// Numbers by size.
    @inlinable
    public static func precedes(_ left: Self, _ right: Self) -> Bool { left < right }
}

extension Int32: ProtobufMapKey {}
extension Int64: ProtobufMapKey {}
extension UInt32: ProtobufMapKey {}
extension UInt64: ProtobufMapKey {}

extension Bool: ProtobufMapKey {
    /// False comes first.
    @inlinable
    public static func precedes(_ left: Bool, _ right: Bool) -> Bool { !left && right }
}

extension String: ProtobufMapKey {
    /// Text by its bytes.
    @inlinable
    public static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
