// SPDX-License-Identifier: Apache-2.0

extension FieldReader {
    /// The elements of a list in a C struct, converted one by one. The count was bounded by the message's bytes.
    @inlinable
    func list<Stored: BitwiseCopyable, Element>(
        at word: Int, of _: Stored.Type, _ convert: (Stored) -> Element
    ) -> [Element] {
        let count = load(word * 8, as: Int.self)
        guard count > 0, let start = load(word * 8 + 8, as: UnsafeRawPointer?.self) else { return [] }
        let stored = start.assumingMemoryBound(to: Stored.self)
        return [Element](unsafeUninitializedCapacity: count) { buffer, filled in
            for index in 0..<count { buffer.initializeElement(at: index, to: convert(stored[index])) }
            filled = count
        }
    }

    /// Numbers or truth values.
    @inlinable
    public func scalars<T: ProtobufScalar>(at word: Int) -> [T] {
        list(at: word, of: T.Stored.self) { T(stored: $0) }
    }

    /// Values of an enum.
    @inlinable
    public func enumerations<T: ProtobufEnum>(at word: Int) -> [T] {
        list(at: word, of: Int32.self) { T(stored: $0) }
    }

    /// Texts.
    @inlinable
    public func strings(at word: Int) -> [String] { list(at: word, of: DataSlot.self, \.string) }

    /// Byte strings.
    @inlinable
    public func byteStrings(at word: Int) -> [[UInt8]] { list(at: word, of: DataSlot.self, \.bytes) }

    /// Messages.
    @inlinable
    public func messages<M: ProtobufMessage>(at word: Int) -> [M] {
        list(at: word, of: UnsafeRawPointer.self) { M(reading: FieldReader($0)) }
    }

    /// A map. Of entries with the same key the last counts. Source: protobuf *Encoding*, Maps.
    ///
    /// - Parameter entry: key and value of one entry, whose fields are read like those of a message.
    @inlinable
    public func map<Key: Hashable, Value>(at word: Int, _ entry: (FieldReader) -> (Key, Value)) -> [Key: Value] {
        let count = load(word * 8, as: Int.self)
        guard count > 0, let start = load(word * 8 + 8, as: UnsafeRawPointer?.self) else { return [:] }
        let entries = start.assumingMemoryBound(to: UnsafeRawPointer.self)
        var map = [Key: Value](minimumCapacity: count)
        for index in 0..<count {
            let (key, value) = entry(FieldReader(entries[index]))
            map[key] = value
        }
        return map
    }
}
