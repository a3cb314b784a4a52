// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A message of a .proto file: a plain value. Generated code conforms to it.
public protocol ProtobufMessage: Sendable, Hashable, Codable, CustomStringConvertible, TextOutputStreamable {
    /// The table of the message's fields.
    static var schema: MessageSchema { get }

    /// Fields that came with the message and that its .proto file does not know; sent on when it is encoded.
    var unknownFields: UnknownFields { get set }

    /// The message with every field at its default.
    init()

    /// The message in an unpacked struct. Called by the runtime.
    init(reading fields: FieldReader)

    /// Puts the fields into a struct to be packed. Called by the runtime.
    func write(to fields: FieldWriter)
}

extension ProtobufMessage {
    /// The message in its binary form.
    ///
    /// - Throws: RESOURCE_EXHAUSTED over 2 GiB, INTERNAL for messages nested deeper than 100.
    @inlinable
    public func serialized() throws(RPCError) -> MessageBytes { try ProtobufCodec<Self>.encode(self) }

    /// The message in its binary form, as an array.
    ///
    /// - Throws: RESOURCE_EXHAUSTED over 2 GiB, INTERNAL for messages nested deeper than 100.
    public func serializedBytes() throws(RPCError) -> [UInt8] { try serialized().bytes }

    /// The message in its binary form, the same bytes for equal messages: maps are sorted by their keys.
    ///
    /// - Throws: RESOURCE_EXHAUSTED over 2 GiB, INTERNAL for messages nested deeper than 100.
    public func deterministicBytes() throws(RPCError) -> [UInt8] {
        try ProtobufCodec<Self>.encode(self, isDeterministic: true).bytes
    }

    /// The message in the bytes.
    ///
    /// - Throws: INTERNAL for bytes that are no such message, RESOURCE_EXHAUSTED past the memory budget.
    @inlinable
    public init(serialized bytes: MessageBytes) throws(RPCError) { self = try ProtobufCodec<Self>.decode(bytes) }

    /// The message in the bytes.
    ///
    /// - Parameter maximumDepth: how deep messages may be nested, at most 1000. Each level takes stack.
    /// - Throws: INTERNAL for bytes that are no such message, RESOURCE_EXHAUSTED past the memory budget.
    @inlinable
    public init(serialized bytes: [UInt8], maximumDepth: Int = 100) throws(RPCError) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(RPCError) in
            try ProtobufCodec<Self>.decode(UnsafeRawBufferPointer(buffer), depth: min(maximumDepth, 1000))
        }
    }
}
