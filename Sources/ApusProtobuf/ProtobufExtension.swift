// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A field that another .proto file adds to a message (proto2): `message[TheFileExtensions.field]`.
///
/// An extension travels among the message's unknown fields and is read from there: a program that does not know it
/// keeps it all the same.
public struct ProtobufExtension<Extendee: ProtobufMessage, Value: Sendable>: AnyProtobufExtension {
    /// The row of the field table; its name is the extension's full name.
    public let field: FieldSchema

    let isMessageSet: Bool
    /// The table of a message with this field alone.
    public let carrier: MessageSchema
    private let read: @Sendable (FieldReader) -> Value
    private let write: @Sendable (Value, FieldWriter) -> Void

    /// Called by generated code.
    ///
    /// - Parameters:
    ///   - field: the row of the field table.
    ///   - isMessageSet: whether the extended message has the old format `message_set_wire_format`.
    ///   - read: reads the field from a struct that has no other.
    ///   - write: writes the field into a struct that has no other.
    public init(
        _ field: FieldSchema, isMessageSet: Bool = false, read: @escaping @Sendable (FieldReader) -> Value,
        write: @escaping @Sendable (Value, FieldWriter) -> Void
    ) {
        self.field = field
        self.isMessageSet = isMessageSet
        self.read = read
        self.write = write
        carrier = MessageSchema("\(Extendee.schema.name).[\(field.name)]", [field])
    }

    /// The table of the message that is extended.
    public var extendee: MessageSchema { Extendee.schema }

    /// The value among a message's unknown fields: nil or empty when it is not there.
    ///
    /// - Throws: INTERNAL for bytes that are no such value.
    public func value(in fields: UnknownFields) throws(RPCError) -> Value {
        let bytes = isMessageSet ? fields.messageSetItem(field.number) : fields.field(field.number)
        let arena = Arena.take(budget: Arena.decodeBudget(for: bytes.count))
        defer { arena.giveBack() }
        return try bytes.withUnsafeBufferPointer { (buffer) throws(RPCError) in
            read(try carrier.unpack(UnsafeRawBufferPointer(buffer), in: arena))
        }
    }

    func set(_ value: Value, in fields: inout UnknownFields) throws(RPCError) {
        let arena = Arena.take(budget: .max)
        defer { arena.giveBack() }
        let root = FieldWriter(root: carrier, in: arena)
        write(value, root)
        let bytes = try root.pack(carrier).bytes
        if isMessageSet {
            fields.replaceMessageSetItem(field.number, with: bytes)
        } else {
            fields.replace(field.number, with: bytes)
        }
    }
}

/// An extension of any message and type, as a ``TypeRegistry`` keeps it.
public protocol AnyProtobufExtension: Sendable {
    /// The row of the field table; its name is the extension's full name.
    var field: FieldSchema { get }
    /// The table of the message that is extended.
    var extendee: MessageSchema { get }
    /// The table of a message with this field alone.
    var carrier: MessageSchema { get }
}

extension ProtobufMessage {
    /// The value of an extension: nil or empty when it is absent, or when its bytes are malformed. Setting a value
    /// that cannot be encoded (see ``serialized()``) leaves the message as it was.
    public subscript<Value>(_ field: ProtobufExtension<Self, Value>) -> Value {
        get { field.valueOrEmpty(in: unknownFields) }
        set { try? field.set(newValue, in: &unknownFields) }
    }
}

extension ProtobufExtension {
    fileprivate func valueOrEmpty(in fields: UnknownFields) -> Value {
        if let value = try? value(in: fields) { return value }
        let empty = FieldWriter(root: carrier, in: Arena.take(budget: .max))
        defer { empty.arena.giveBack() }
        return read(FieldReader(UnsafeRawPointer(empty.message)))
    }
}
