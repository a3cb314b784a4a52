// SPDX-License-Identifier: Apache-2.0

/// Reads fields out of an unpacked message, for generated code. Fields are named by their first word in the struct.
///
/// The struct lies in an arena and lives as long as the decoding that made the reader; a reader is not kept.
public struct FieldReader {
    @usableFromInline let message: UnsafeRawPointer

    @inlinable
    init(_ message: UnsafeRawPointer) { self.message = message }

    @inlinable
    func load<T: BitwiseCopyable>(_ byte: Int, as type: T.Type = T.self) -> T {
        message.load(fromByteOffset: byte, as: type)
    }

    // protobuf-c's flags are ints.
    @inlinable
    func flag(_ byte: Int) -> Bool { load(byte, as: Int32.self) != 0 }

    /// Fields that the table does not have.
    @inlinable
    public func unknownFields() -> UnknownFields {
        load(8, as: UInt32.self) == 0 ? UnknownFields() : UnknownFields(of: message)
    }

    /// The number of the member of a oneof that is set; 0 for none.
    @inlinable
    public func oneof(at word: Int) -> UInt32 { load(word * 8 + 16) }

    /// A number or truth value; its default when it is absent.
    @inlinable
    public func scalar<T: ProtobufScalar>(at word: Int) -> T { T(stored: load(word * 8)) }

    /// A number or truth value with presence.
    @inlinable
    public func optionalScalar<T: ProtobufScalar>(at word: Int) -> T? {
        flag(word * 8 + MemoryLayout<T.Stored>.size) ? scalar(at: word) : nil
    }

    /// An enum's value.
    @inlinable
    public func enumeration<T: ProtobufEnum>(at word: Int) -> T { T(stored: load(word * 8)) }

    /// An enum's value with presence.
    @inlinable
    public func optionalEnumeration<T: ProtobufEnum>(at word: Int) -> T? {
        flag(word * 8 + 4) ? enumeration(at: word) : nil
    }

    /// Text. It was checked to be UTF-8.
    @inlinable
    public func string(at word: Int) -> String { load(word * 8, as: DataSlot.self).string }

    /// Text with presence.
    @inlinable
    public func optionalString(at word: Int) -> String? { flag(word * 8 + 16) ? string(at: word) : nil }

    /// Bytes.
    @inlinable
    public func bytes(at word: Int) -> [UInt8] { load(word * 8, as: DataSlot.self).bytes }

    /// Bytes with presence.
    @inlinable
    public func optionalBytes(at word: Int) -> [UInt8]? { flag(word * 8 + 16) ? bytes(at: word) : nil }

    /// A message.
    @inlinable
    public func message<M: ProtobufMessage>(at word: Int) -> M? {
        load(word * 8, as: UnsafeRawPointer?.self).map { M(reading: FieldReader($0)) }
    }
}

/// A string or bytes in a C struct: the layout of `ProtobufCBinaryData`.
@usableFromInline
struct DataSlot: BitwiseCopyable {
    @usableFromInline var count: Int
    @usableFromInline var start: UnsafeRawPointer?

    @inlinable
    init(count: Int, start: UnsafeRawPointer?) {
        self.count = count
        self.start = start
    }

    @inlinable var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    @inlinable var bytes: [UInt8] { count == 0 ? [] : [UInt8](buffer) }

    @inlinable var string: String { count == 0 ? "" : String(decoding: buffer, as: UTF8.self) }
}
