// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf

/// The message `demo.journal.v1.Entry` with swift-protobuf. A program has it from protoc-gen-swift; here it is written
/// by hand, so that the example builds without that plugin.
public struct Demo_Journal_V1_Entry: Sendable, Equatable {
    /// What happened.
    public var text = ""
    /// When it happened; nil when nobody knows.
    public var time: Google_Protobuf_Timestamp?
    /// Fields that the .proto file does not name.
    public var unknownFields = UnknownStorage()

    /// An empty entry.
    public init() {}
}

extension Demo_Journal_V1_Entry: Message {
    /// The full name in the .proto file.
    public static let protoMessageName = "demo.journal.v1.Entry"

    /// Takes the fields that a decoder finds.
    public mutating func decodeMessage<D: SwiftProtobuf.Decoder>(decoder: inout D) throws {
        while let number = try decoder.nextFieldNumber() {
            switch number {
            case 1: try decoder.decodeSingularStringField(value: &text)
            case 2: try decoder.decodeSingularMessageField(value: &time)
            default: break
            }
        }
    }

    /// Shows the fields that are set to an encoder.
    public func traverse<V: Visitor>(visitor: inout V) throws {
        if !text.isEmpty { try visitor.visitSingularStringField(value: text, fieldNumber: 1) }
        if let time { try visitor.visitSingularMessageField(value: time, fieldNumber: 2) }
        try unknownFields.traverse(visitor: &visitor)
    }

    /// Whether the other is an entry with the same fields.
    public func isEqualTo(message: any Message) -> Bool { message as? Self == self }
}
