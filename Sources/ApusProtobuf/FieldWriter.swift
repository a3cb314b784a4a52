// SPDX-License-Identifier: Apache-2.0

/// Puts fields into a struct to be packed, for generated code. Fields are named by their first word in the struct.
///
/// The struct lies in an arena, all zero at first, and lives as long as the encoding that made the writer; a writer
/// is not kept.
public struct FieldWriter {
    @usableFromInline let message: UnsafeMutableRawPointer
    @usableFromInline let arena: Arena
    @usableFromInline let depth: Int

    @inlinable
    init(root schema: MessageSchema, in arena: Arena) { self.init(schema, in: arena, depth: 0) }

    @inlinable
    init(_ schema: MessageSchema, in arena: Arena, depth: Int) {
        self.init(descriptor: schema.descriptorAddress, byteCount: schema.byteCount, in: arena, depth: depth)
    }

    @inlinable
    init(descriptor: UnsafeRawPointer, byteCount: Int, in arena: Arena, depth: Int) {
        message = arena.allocate(byteCount)
        self.arena = arena
        self.depth = depth
        message.initializeMemory(as: UInt64.self, repeating: 0, count: byteCount / 8)
        message.storeBytes(of: descriptor, as: UnsafeRawPointer.self)
    }

    @inlinable
    func store<T: BitwiseCopyable>(_ value: T, _ byte: Int) {
        message.storeBytes(of: value, toByteOffset: byte, as: T.self)
    }

    // protobuf-c's flags are ints.
    @inlinable
    func setFlag(_ byte: Int) { store(1 as Int32, byte) }

    /// Fields that the table does not have.
    @inlinable
    public func unknownFields(_ fields: UnknownFields) {
        if !fields.isEmpty { fields.write(to: message, in: arena) }
    }

    /// Says which member of a oneof is set; its value is written like that of any field.
    @inlinable
    public func oneof(_ number: UInt32, at word: Int) { store(number, word * 8 + 16) }

    /// A number or truth value, left out when its bits are all zero.
    @inlinable
    public func scalar<T: ProtobufScalar>(_ value: T, at word: Int) {
        let stored = value.stored
        if stored != 0 { present(stored, at: word) }
    }

    /// A number or truth value with presence.
    @inlinable
    public func optionalScalar<T: ProtobufScalar>(_ value: T?, at word: Int) {
        if let value { present(value.stored, at: word) }
    }

    @inlinable
    func present<Stored: BitwiseCopyable>(_ stored: Stored, at word: Int) {
        store(stored, word * 8)
        setFlag(word * 8 + MemoryLayout<Stored>.size)
    }

    /// An enum's value, left out when it is zero.
    @inlinable
    public func enumeration<T: ProtobufEnum>(_ value: T, at word: Int) { scalar(value.rawValue, at: word) }

    /// An enum's value with presence.
    @inlinable
    public func optionalEnumeration<T: ProtobufEnum>(_ value: T?, at word: Int) {
        if let value { present(value.rawValue, at: word) }
    }

    /// Text, left out when it is empty.
    @inlinable
    public func string(_ value: String, at word: Int) {
        if !value.isEmpty { data(value, to: message + word * 8) }
    }

    /// Text with presence.
    @inlinable
    public func optionalString(_ value: String?, at word: Int) {
        guard let value else { return }
        string(value, at: word)
        setFlag(word * 8 + 16)
    }

    /// Bytes, left out when there are none.
    @inlinable
    public func bytes(_ value: [UInt8], at word: Int) {
        if !value.isEmpty { data(value, to: message + word * 8) }
    }

    /// Bytes with presence.
    @inlinable
    public func optionalBytes(_ value: [UInt8]?, at word: Int) {
        guard let value else { return }
        bytes(value, at: word)
        setFlag(word * 8 + 16)
    }

    /// A message.
    @inlinable
    public func message<M: ProtobufMessage>(_ value: M?, at word: Int) {
        if let value { store(child(value), word * 8) }
    }

    @inlinable
    func child<M: ProtobufMessage>(_ value: M) -> UnsafeRawPointer {
        let child = FieldWriter(M.schema, in: arena, depth: depth + 1)
        if depth < maximumDepth { value.write(to: child) } else { arena.state.pointee.isTooDeep = true }
        return UnsafeRawPointer(child.message)
    }
}

// Deeper messages could not be decoded by anyone, and would exhaust the stack.
@usableFromInline let maximumDepth = 100
