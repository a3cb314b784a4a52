// SPDX-License-Identifier: Apache-2.0

/// Messages and extensions that JSON and text may name: what is packed into an `Any`, and fields in brackets.
///
/// The well-known types are known without being named.
public struct TypeRegistry: Sendable {
    private var types: [String: MessageSchema] = [:]
    private var extensions: [String: [any AnyProtobufExtension]] = [:]

    /// Knows the well-known types.
    public init() {}

    /// Knows these messages and all that they can contain, these extensions, and the well-known types.
    public init(_ types: [any ProtobufMessage.Type], extensions: [any AnyProtobufExtension] = []) {
        for type in types { add(type.schema) }
        for field in extensions { add(field) }
    }

    /// Adds a message and all that it can contain.
    public mutating func add(_ schema: MessageSchema) {
        // Without recursion: descriptors from outside may chain any number of messages.
        var pending = [schema]
        while let next = pending.popLast() {
            guard types.updateValue(next, forKey: next.name) == nil else { continue }
            pending += next.fields.compactMap(\.type.schema)
        }
    }

    /// Adds an extension and what it can contain.
    public mutating func add(_ field: any AnyProtobufExtension) {
        var known = extensions[field.extendee.name] ?? []
        let index = known.firstIndex { $0.field.number > field.field.number } ?? known.count
        known.insert(field, at: index)
        extensions[field.extendee.name] = known
        if let child = field.field.type.schema { add(child) }
    }

    /// The message with this full name; nil if it is not known.
    public func message(named name: String) -> MessageSchema? { types[name] ?? Self.wellKnown.types[name] }

    /// The message that an `Any`'s URL names: what comes behind the last slash.
    func message(url: String) -> MessageSchema? {
        guard let slash = url.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return message(named: String(url[url.utf8.index(after: slash)...]))
    }

    func extensions(of schema: MessageSchema) -> [any AnyProtobufExtension] { extensions[schema.name] ?? [] }

    func `extension`(of schema: MessageSchema, named name: String) -> (any AnyProtobufExtension)? {
        extensions(of: schema).first { $0.field.name == name }
    }

    private static let wellKnown = TypeRegistry([
        ProtobufAny.self, ProtobufTimestamp.self, ProtobufDuration.self, ProtobufEmpty.self, ProtobufStruct.self,
        ProtobufFieldMask.self, ProtobufDoubleValue.self, ProtobufFloatValue.self, ProtobufInt64Value.self,
        ProtobufUInt64Value.self, ProtobufInt32Value.self, ProtobufUInt32Value.self, ProtobufBoolValue.self,
        ProtobufStringValue.self, ProtobufBytesValue.self, ProtobufApi.self, ProtobufSourceContext.self,
    ])
}
