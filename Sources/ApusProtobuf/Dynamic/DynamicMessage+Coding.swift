// SPDX-License-Identifier: Apache-2.0

// Between the structs of libprotobuf-c and dynamic messages: what generated code does with calls, by the table.
extension DynamicMessage {
    init(_ schema: MessageSchema, reading fields: FieldReader) {
        self.init(schema)
        for (field, word) in zip(schema.fields, schema.words) where fields.isPresent(field, at: word) {
            if let value = fields.value(of: field, in: schema, at: word) { put(value, in: field) }
        }
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        for (field, word) in zip(schema.fields, schema.words) {
            if let value = values[field.number] { fields.put(value, field, of: schema, at: word) }
        }
        fields.unknownFields(unknownFields)
    }
}

extension FieldReader {
    fileprivate func value(of field: FieldSchema, in schema: MessageSchema, at word: Int) -> FieldValue? {
        switch field.shape {
        case .repeated, .packed: .list(elements(of: field.type, at: word))
        case .map: .map(entries(of: field, schema.entries[field.number], at: word))
        default: single(field.type, at: word)
        }
    }

    func single(_ type: FieldType, at word: Int) -> FieldValue? {
        switch type {
        case .int32, .sint32, .sfixed32: .int32(scalar(at: word))
        case .int64, .sint64, .sfixed64: .int64(scalar(at: word))
        case .uint32, .fixed32: .uint32(scalar(at: word))
        case .uint64, .fixed64: .uint64(scalar(at: word))
        case .float: .float(scalar(at: word))
        case .double: .double(scalar(at: word))
        case .bool: .bool(scalar(at: word))
        case .string: .string(string(at: word))
        case .bytes: .bytes(bytes(at: word))
        case .enumeration: .enumeration(scalar(at: word))
        case .message, .group, .dynamic:
            load(word * 8, as: UnsafeRawPointer?.self).flatMap { message(type, $0) }
        }
    }

    private func message(_ type: FieldType, _ start: UnsafeRawPointer) -> FieldValue? {
        type.schema.map { .message(DynamicMessage($0, reading: FieldReader(start))) }
    }

    private func elements(of type: FieldType, at word: Int) -> [FieldValue] {
        switch type {
        case .int32, .sint32, .sfixed32: list(at: word, of: Int32.self) { .int32($0) }
        case .int64, .sint64, .sfixed64: list(at: word, of: Int64.self) { .int64($0) }
        case .uint32, .fixed32: list(at: word, of: UInt32.self) { .uint32($0) }
        case .uint64, .fixed64: list(at: word, of: UInt64.self) { .uint64($0) }
        case .float: list(at: word, of: UInt32.self) { .float(Float(bitPattern: $0)) }
        case .double: list(at: word, of: UInt64.self) { .double(Double(bitPattern: $0)) }
        case .bool: list(at: word, of: Int32.self) { .bool($0 != 0) }
        case .string: list(at: word, of: DataSlot.self) { .string($0.string) }
        case .bytes: list(at: word, of: DataSlot.self) { .bytes($0.bytes) }
        case .enumeration: list(at: word, of: Int32.self) { .enumeration($0) }
        case .message, .group, .dynamic:
            list(at: word, of: UnsafeRawPointer.self) { $0 }.compactMap { message(type, $0) }
        }
    }

    private func entries(
        of field: FieldSchema, _ schema: MessageSchema?, at word: Int
    ) -> [FieldValue: FieldValue] {
        guard let schema, case .map(let keyType) = field.shape, schema.words.count == 2 else { return [:] }
        var entries: [FieldValue: FieldValue] = [:]
        for entry in list(at: word, of: UnsafeRawPointer.self, FieldReader.init) {
            guard let key = entry.single(keyType, at: schema.words[0]) else { continue }
            let empty = field.type.schema.map { FieldValue.message(DynamicMessage($0)) }
            entries[key] = entry.single(field.type, at: schema.words[1]) ?? empty
        }
        return entries
    }
}

extension FieldWriter {
    fileprivate func put(_ value: FieldValue, _ field: FieldSchema, of schema: MessageSchema, at word: Int) {
        switch value {
        case .list(let values): put(values, field, at: word)
        case .map(let entries): put(entries, field, of: schema, at: word)
        case .message(let message) where field.type.wireType == WireType.startGroup:
            groups([child(message)], number: field.number)
        default:
            if case .oneof = field.shape { oneof(UInt32(truncatingIfNeeded: field.number), at: word) }
            put(value, at: word, hasFlag: field.place == .presentData)
        }
    }

    /// Puts a single value at its place. Flags do no harm in oneofs: the number of the member comes behind them.
    private func put(_ value: FieldValue, at word: Int, hasFlag: Bool) {
        switch value {
        case .int32(let value), .enumeration(let value): present(value, at: word)
        case .uint32(let value): present(value, at: word)
        case .float(let value): present(value.bitPattern, at: word)
        case .bool(let value): present(value.stored, at: word)
        case .int64(let value): present(value, at: word)
        case .uint64(let value): present(value, at: word)
        case .double(let value): present(value.bitPattern, at: word)
        case .string(let value): hasFlag ? optionalString(value, at: word) : string(value, at: word)
        case .bytes(let value): hasFlag ? optionalBytes(value, at: word) : bytes(value, at: word)
        case .message(let message): store(child(message), word * 8)
        case .list, .map: break
        }
    }

    private func child(_ message: DynamicMessage) -> UnsafeRawPointer {
        let child = FieldWriter(message.schema, in: arena, depth: depth + 1)
        if depth < maximumDepth { message.write(to: child) } else { arena.state.pointee.isTooDeep = true }
        return UnsafeRawPointer(child.message)
    }

    private func put(_ values: [FieldValue], _ field: FieldSchema, at word: Int) {
        guard !values.isEmpty else { return }
        guard field.type.wireType != WireType.startGroup else {
            return groups(values.compactMap { child($0) }, number: field.number)
        }
        let size = UnpackRules.Field(field, word: word).encoding.size
        let list = list(values.count, of: size, at: word)
        for (index, value) in values.enumerated() { put(value, to: list + index * size) }
    }

    private func child(_ value: FieldValue) -> UnsafeRawPointer? {
        guard case .message(let message) = value else { return nil }
        return child(message)
    }

    private func groups(_ children: [UnsafeRawPointer], number: Int) {
        arena.state.pointee.groups.append(
            WrittenGroup(parent: message, number: UInt32(truncatingIfNeeded: number), children: children))
    }

    private func put(_ value: FieldValue, to place: UnsafeMutableRawPointer) {
        switch value {
        case .int32(let value), .enumeration(let value): place.storeBytes(of: value, as: Int32.self)
        case .uint32(let value): place.storeBytes(of: value, as: UInt32.self)
        case .float(let value): place.storeBytes(of: value.bitPattern, as: UInt32.self)
        case .bool(let value): place.storeBytes(of: value.stored, as: Int32.self)
        case .int64(let value): place.storeBytes(of: value, as: Int64.self)
        case .uint64(let value): place.storeBytes(of: value, as: UInt64.self)
        case .double(let value): place.storeBytes(of: value.bitPattern, as: UInt64.self)
        case .string(let value): data(value, to: place)
        case .bytes(let value): data(value, to: place)
        case .message(let message): place.storeBytes(of: child(message), as: UnsafeRawPointer.self)
        case .list, .map: break
        }
    }

    private func put(
        _ entries: [FieldValue: FieldValue], _ field: FieldSchema, of schema: MessageSchema, at word: Int
    ) {
        guard !entries.isEmpty, let schema = schema.entries[field.number], schema.words.count == 2 else { return }
        let list = list(entries.count, of: 8, at: word)
        // In an order of their own: equal messages give equal bytes.
        let sorted = entries.sorted { FieldValue.precedes($0.key, $1.key) }
        for (index, (key, value)) in sorted.enumerated() {
            let entry = FieldWriter(schema, in: arena, depth: depth + 1)
            entry.put(key, schema.fields[0], of: schema, at: schema.words[0])
            entry.put(value, schema.fields[1], of: schema, at: schema.words[1])
            list.storeBytes(of: UnsafeRawPointer(entry.message), toByteOffset: index * 8, as: UnsafeRawPointer.self)
        }
    }
}

extension FieldValue {
    /// The order of a map's keys.
    static func precedes(_ left: FieldValue, _ right: FieldValue) -> Bool {
        switch (left, right) {
        case (.int32(let left), .int32(let right)): left < right
        case (.int64(let left), .int64(let right)): left < right
        case (.uint32(let left), .uint32(let right)): left < right
        case (.uint64(let left), .uint64(let right)): left < right
        case (.bool(let left), .bool(let right)): Bool.precedes(left, right)
        case (.string(let left), .string(let right)): String.precedes(left, right)
        default: false
        }
    }
}
