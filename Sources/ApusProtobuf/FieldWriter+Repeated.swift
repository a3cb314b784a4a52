// SPDX-License-Identifier: Apache-2.0

extension FieldWriter {
    /// Room for a list of `count` elements, already named in the struct. Each takes at least eight bytes of the arena:
    /// `Arena.packedLimit` counts on it.
    @inlinable
    func list(_ count: Int, of elementSize: Int, at word: Int) -> UnsafeMutableRawPointer {
        let list = arena.allocate(count * max(8, elementSize))
        store(count, word * 8)
        store(UnsafeRawPointer(list), word * 8 + 8)
        return list
    }

    /// Numbers or truth values.
    @inlinable
    public func scalars<T: ProtobufScalar>(_ values: [T], at word: Int) {
        guard !values.isEmpty else { return }
        let size = MemoryLayout<T.Stored>.size
        let list = list(values.count, of: size, at: word)
        for (index, value) in values.enumerated() {
            list.storeBytes(of: value.stored, toByteOffset: index * size, as: T.Stored.self)
        }
    }

    /// Values of an enum.
    @inlinable
    public func enumerations<T: ProtobufEnum>(_ values: [T], at word: Int) {
        guard !values.isEmpty else { return }
        let list = list(values.count, of: 4, at: word)
        for (index, value) in values.enumerated() {
            list.storeBytes(of: value.rawValue, toByteOffset: index * 4, as: Int32.self)
        }
    }

    /// Texts.
    @inlinable
    public func strings(_ values: [String], at word: Int) {
        guard !values.isEmpty else { return }
        let list = list(values.count, of: 16, at: word)
        values.withUnsafeBufferPointer { values in
            for index in values.indices { data(values[index], to: list + index * 16) }
        }
    }

    /// Byte strings.
    @inlinable
    public func byteStrings(_ values: [[UInt8]], at word: Int) {
        guard !values.isEmpty else { return }
        let list = list(values.count, of: 16, at: word)
        values.withUnsafeBufferPointer { values in
            for index in values.indices { data(values[index], to: list + index * 16) }
        }
    }

    /// Messages.
    @inlinable
    public func messages<M: ProtobufMessage>(_ values: [M], at word: Int) {
        guard !values.isEmpty else { return }
        let list = list(values.count, of: 8, at: word)
        // The loop over an array would copy each message.
        values.withUnsafeBufferPointer { values in
            for index in values.indices {
                list.storeBytes(of: child(values[index]), toByteOffset: index * 8, as: UnsafeRawPointer.self)
            }
        }
    }

    /// A map, in no particular order unless the encoding is to be deterministic.
    ///
    /// - Parameters:
    ///   - number: the field's number.
    ///   - schema: the table of the message that the map is a field of.
    ///   - write: writes the key and the value of one entry, like the fields of a message.
    @inlinable
    public func map<Key: ProtobufMapKey, Value>(
        _ values: [Key: Value], at word: Int, number: Int, of schema: MessageSchema,
        _ write: (FieldWriter, Key, Value) -> Void
    ) {
        guard !values.isEmpty, let entry = schema.entry(number) else { return }
        let list = list(values.count, of: 8, at: word)
        if arena.state.pointee.isDeterministic {
            let sorted = values.sorted { Key.precedes($0.key, $1.key) }
            for (index, (key, value)) in sorted.enumerated() { self.entry(entry, list + index * 8, key, value, write) }
        } else {
            for (index, (key, value)) in values.enumerated() { self.entry(entry, list + index * 8, key, value, write) }
        }
    }

    @inlinable
    func entry<Key, Value>(
        _ schema: MessageSchema, _ place: UnsafeMutableRawPointer, _ key: Key, _ value: Value,
        _ write: (FieldWriter, Key, Value) -> Void
    ) {
        let writer = FieldWriter(schema, in: arena, depth: depth + 1)
        write(writer, key, value)
        place.storeBytes(of: UnsafeRawPointer(writer.message), as: UnsafeRawPointer.self)
    }
}

extension MessageSchema {
    @usableFromInline
    func entry(_ number: Int) -> MessageSchema? { entries[number] }
}
