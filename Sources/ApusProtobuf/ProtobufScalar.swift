// SPDX-License-Identifier: Apache-2.0

/// A number or truth value, as Swift has it and as protobuf-c's structs keep it.
public protocol ProtobufScalar: Sendable, Hashable {
    /// The bits in the C struct: 32 or 64 of them.
    associatedtype Stored: FixedWidthInteger & BitwiseCopyable & Sendable

    /// The value with these bits.
    init(stored: Stored)

    /// The value's bits. All zero is the default; -0.0 is not.
    var stored: Stored { get }
}

extension Int32: ProtobufScalar {
    /// The number.
    @inlinable public init(stored: Int32) { self = stored }
    /// The number.
    @inlinable public var stored: Int32 { self }
}

extension Int64: ProtobufScalar {
    /// The number.
    @inlinable public init(stored: Int64) { self = stored }
    /// The number.
    @inlinable public var stored: Int64 { self }
}

extension UInt32: ProtobufScalar {
    /// The number.
    @inlinable public init(stored: UInt32) { self = stored }
    /// The number.
    @inlinable public var stored: UInt32 { self }
}

extension UInt64: ProtobufScalar {
    /// The number.
    @inlinable public init(stored: UInt64) { self = stored }
    /// The number.
    @inlinable public var stored: UInt64 { self }
}

extension Float: ProtobufScalar {
    /// The number with this bit pattern.
    @inlinable public init(stored: UInt32) { self.init(bitPattern: stored) }
    /// The bit pattern.
    @inlinable public var stored: UInt32 { bitPattern }
}

extension Double: ProtobufScalar {
    /// The number with this bit pattern.
    @inlinable public init(stored: UInt64) { self.init(bitPattern: stored) }
    /// The bit pattern.
    @inlinable public var stored: UInt64 { bitPattern }
}

extension Bool: ProtobufScalar {
    /// False for zero.
    @inlinable public init(stored: Int32) { self = stored != 0 }
    /// One or zero.
    @inlinable public var stored: Int32 { self ? 1 : 0 }
}
