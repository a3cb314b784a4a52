// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A message whose type is known at run time only: by a table of generated code, or by one of a ``DescriptorPool``.
public struct DynamicMessage: Sendable {
    /// The table of the message's fields.
    public let schema: MessageSchema

    /// Fields that the table does not have.
    public var unknownFields = UnknownFields()

    /// The fields that are set, by their numbers.
    private(set) var values: [Int: FieldValue] = [:]

    /// A message with every field at its default.
    public init(_ schema: MessageSchema) { self.schema = schema }

    /// The message in the bytes.
    ///
    /// - Throws: INTERNAL for bytes that are no such message, RESOURCE_EXHAUSTED past the memory budget.
    public init(_ schema: MessageSchema, serialized bytes: [UInt8]) throws(RPCError) {
        let arena = Arena.take(budget: Arena.decodeBudget(for: bytes.count))
        defer { arena.giveBack() }
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(RPCError) in
            DynamicMessage(schema, reading: try schema.unpack(UnsafeRawBufferPointer(buffer), in: arena))
        }
    }

    /// The same message, of whatever generated type.
    ///
    /// - Throws: INTERNAL for messages nested deeper than 100.
    public init(_ message: some ProtobufMessage) throws(RPCError) {
        try self.init(type(of: message).schema, serialized: message.serializedBytes())
    }

    /// The message in its binary form.
    ///
    /// - Throws: INTERNAL for messages nested deeper than 100, RESOURCE_EXHAUSTED over 2 GiB.
    public func serializedBytes() throws(RPCError) -> [UInt8] {
        let arena = Arena.take(budget: .max)
        defer { arena.giveBack() }
        let root = FieldWriter(root: schema, in: arena)
        write(to: root)
        return try root.pack(schema).bytes
    }

    /// The same message as a generated type. Both need not have the same table: unknown fields may become known.
    ///
    /// - Throws: INTERNAL where the bytes of this message are no such message.
    public func message<M: ProtobufMessage>(_: M.Type = M.self) throws(RPCError) -> M {
        try M(serialized: serializedBytes())
    }

    /// The value of a field that is set; nil for one that is absent, or that there is not.
    public subscript(_ name: String) -> FieldValue? { schema.field(named: name).flatMap { values[$0.number] } }

    /// The value of a field that is set; nil for one that is absent, or that there is not.
    public subscript(_ number: Int) -> FieldValue? { values[number] }

    /// Sets a field, or with nil removes it. Another member of its oneof is removed.
    ///
    /// - Throws: INVALID_ARGUMENT for a field that there is not, or a value of another type.
    public mutating func set(_ name: String, _ value: FieldValue?) throws(RPCError) {
        guard let field = schema.field(named: name) else {
            throw RPCError(.invalidArgument, "\(schema.name) has no field '\(name)'")
        }
        guard let value else {
            values[field.number] = nil
            return
        }
        guard value.fits(field) else {
            throw RPCError(.invalidArgument, "\(schema.name).\(name) cannot have a value of that type")
        }
        put(value, in: field)
    }

    /// Sets a field to a value that fits.
    mutating func put(_ value: FieldValue, in field: FieldSchema) {
        if case .oneof(let index) = field.shape {
            for other in schema.fields { if case .oneof(index) = other.shape { values[other.number] = nil } }
        }
        let isDefault = if case .implicit = field.shape { value.isZero } else { false }
        values[field.number] = isDefault ? nil : value
    }
}

extension DynamicMessage: Hashable {
    /// Whether both are of one type and have the same fields.
    public static func == (left: DynamicMessage, right: DynamicMessage) -> Bool {
        left.schema === right.schema && left.values == right.values && left.unknownFields == right.unknownFields
    }

    /// Hashes the fields.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(schema))
        hasher.combine(values)
        hasher.combine(unknownFields)
    }
}

extension FieldValue {
    /// Whether a field without presence is absent with this value: the bits decide, so -0.0 is not.
    fileprivate var isZero: Bool {
        switch self {
        case .int32(let value), .enumeration(let value): value == 0
        case .int64(let value): value == 0
        case .uint32(let value): value == 0
        case .uint64(let value): value == 0
        case .float(let value): value.bitPattern == 0
        case .double(let value): value.bitPattern == 0
        case .bool(let value): !value
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .list(let values): values.isEmpty
        case .map(let entries): entries.isEmpty
        case .message: false
        }
    }

    func fits(_ field: FieldSchema) -> Bool {
        switch (self, field.shape) {
        case (.list(let values), .repeated), (.list(let values), .packed): values.allSatisfy { $0.fits(field.type) }
        case (.map(let entries), .map(let key)):
            entries.allSatisfy { $0.key.fits(key) && $0.value.fits(field.type) }
        case (_, .repeated), (_, .packed), (_, .map): false
        default: fits(field.type)
        }
    }
}

extension MessageSchema {
    /// The field with this name; nil if there is none.
    public func field(named name: String) -> FieldSchema? { fields.first { $0.name == name } }

    /// The field with this number; nil if there is none.
    public func field(numbered number: Int) -> FieldSchema? { fields.first { $0.number == number } }
}
