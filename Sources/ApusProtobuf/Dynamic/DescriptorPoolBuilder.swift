// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Makes tables of descriptors. What comes from outside is checked here: tables trust their fields.
struct DescriptorPoolBuilder {
    private struct Message {
        let name: String
        let descriptor: ProtobufDescriptorProto
        let isProto3: Bool
    }

    private var messages: [Message] = []
    private var entries: [String: ProtobufDescriptorProto] = [:]
    private var enums: [String: EnumSchema] = [:]
    private var extensions: [(scope: String, field: ProtobufFieldDescriptorProto, isProto3: Bool)] = []
    private var references: [String: (message: SchemaReference, group: SchemaReference)] = [:]

    mutating func collect(_ file: ProtobufFileDescriptorProto) {
        let scope = file.package ?? ""
        let isProto3 = file.syntax == "proto3"
        for enumeration in file.enumType { collect(enumeration, in: scope, isProto3) }
        for message in file.messageType { collect(message, in: scope, isProto3) }
        for field in file.extension { extensions.append((scope, field, isProto3)) }
    }

    private mutating func collect(_ enumeration: ProtobufEnumDescriptorProto, in scope: String, _ isProto3: Bool) {
        let name = Self.joined(scope, enumeration.name ?? "")
        enums[name] = EnumSchema(
            name, enumeration.value.map { (number: $0.number ?? 0, name: $0.name ?? "") }, isClosed: !isProto3)
    }

    private mutating func collect(_ message: ProtobufDescriptorProto, in scope: String, _ isProto3: Bool) {
        let name = Self.joined(scope, message.name ?? "")
        if message.options?.mapEntry == true {
            entries[name] = message
        } else if references[name] == nil {
            messages.append(Message(name: name, descriptor: message, isProto3: isProto3))
            references[name] = (SchemaReference(isGroup: false), SchemaReference(isGroup: true))
        }
        for enumeration in message.enumType { collect(enumeration, in: name, isProto3) }
        for nested in message.nestedType { collect(nested, in: name, isProto3) }
        for field in message.extension { extensions.append((name, field, isProto3)) }
    }

    func makeMessages() throws(RPCError) -> [String: MessageSchema] {
        var schemas: [String: MessageSchema] = [:]
        for message in messages {
            var fields: [FieldSchema] = []
            var numbers: Set<Int> = []
            for descriptor in message.descriptor.field {
                let field = try field(
                    descriptor, in: message.name, message.isProto3, message.descriptor.oneofDecl.count)
                guard numbers.insert(field.number).inserted else {
                    throw Self.failure("\(message.name).\(field.name)", "the number \(field.number) is taken")
                }
                fields.append(field)
            }
            let schema = MessageSchema(message.name, fields)
            schemas[message.name] = schema
            references[message.name]?.message.set(schema)
            references[message.name]?.group.set(schema)
        }
        return schemas
    }

    func makeExtensions(_ schemas: [String: MessageSchema]) throws(RPCError) -> [DynamicExtension] {
        var made: [DynamicExtension] = []
        for (scope, descriptor, isProto3) in extensions {
            let name = Self.joined(scope, descriptor.name ?? "")
            guard let extendee = schemas[String((descriptor.extendee ?? "").drop { $0 == "." })] else {
                throw Self.failure(name, "the extended message '\(descriptor.extendee ?? "")' is not described")
            }
            var single = descriptor
            (single.name, single.oneofIndex) = (name, nil)
            var field = try field(single, in: scope, isProto3, 0)
            if case .implicit = field.shape { field = FieldSchema(field.number, name, field.type, .optional) }
            let carrier = MessageSchema("\(extendee.name).[\(name)]", [field])
            made.append(DynamicExtension(field: field, extendee: extendee, carrier: carrier))
        }
        return made
    }

    private func field(
        _ descriptor: ProtobufFieldDescriptorProto, in message: String, _ isProto3: Bool, _ oneofCount: Int
    ) throws(RPCError) -> FieldSchema {
        let name = descriptor.name ?? ""
        let place = Self.joined(message, name)
        guard let number = descriptor.number, (1...536_870_911).contains(number) else {
            throw Self.failure(place, "the number is outside 1...536870911")
        }
        if let entry = mapEntry(descriptor) {
            let (key, value) = try mapTypes(entry, place)
            return FieldSchema(Int(number), name, value, .map(key: key), json: descriptor.jsonName)
        }
        let type = try type(descriptor, place)
        let shape = try shape(descriptor, type, isProto3, oneofCount, place)
        return FieldSchema(Int(number), name, type, shape, json: descriptor.jsonName)
    }

    private func mapEntry(_ field: ProtobufFieldDescriptorProto) -> ProtobufDescriptorProto? {
        guard field.label == .repeated, field.type == .message else { return nil }
        return entries[String((field.typeName ?? "").drop { $0 == "." })]
    }

    private func mapTypes(
        _ entry: ProtobufDescriptorProto, _ place: String
    ) throws(RPCError) -> (FieldType, FieldType) {
        guard let key = entry.field.first(where: { $0.number == 1 }),
            let value = entry.field.first(where: { $0.number == 2 }), mapEntry(value) == nil
        else { throw Self.failure(place, "its map's entry lacks key or value") }
        let keyType = try type(key, place)
        switch keyType {
        case .double, .float, .bytes, .enumeration, .message, .group, .dynamic:
            throw Self.failure(place, "its map's keys are of a type that keys cannot have")
        default: return (keyType, try type(value, place))
        }
    }

    private func shape(
        _ field: ProtobufFieldDescriptorProto, _ type: FieldType, _ isProto3: Bool, _ oneofCount: Int, _ place: String
    ) throws(RPCError) -> FieldShape {
        switch field.label {
        case .repeated:
            let isPackable = !type.isData && !type.isMessage
            return isPackable && field.options?.packed ?? isProto3 ? .packed : .repeated
        case .required: return .required
        default: break
        }
        if let index = field.oneofIndex, field.proto3Optional != true {
            guard (0..<oneofCount).contains(Int(index)) else { throw Self.failure(place, "it is in no oneof") }
            return .oneof(Int(index))
        }
        return !isProto3 || field.proto3Optional == true || type.isMessage ? .optional : .implicit
    }

    private func type(_ field: ProtobufFieldDescriptorProto, _ place: String) throws(RPCError) -> FieldType {
        let typeName = String((field.typeName ?? "").drop { $0 == "." })
        switch field.type {
        case .double: return .double
        case .float: return .float
        case .int32: return .int32
        case .int64: return .int64
        case .uint32: return .uint32
        case .uint64: return .uint64
        case .sint32: return .sint32
        case .sint64: return .sint64
        case .fixed32: return .fixed32
        case .fixed64: return .fixed64
        case .sfixed32: return .sfixed32
        case .sfixed64: return .sfixed64
        case .bool: return .bool
        case .string: return .string
        case .bytes: return .bytes
        case .enum: if let schema = enums[typeName] { return .enumeration(schema) }
        case .message: if let reference = references[typeName] { return .dynamic(reference.message) }
        case .group: if let reference = references[typeName] { return .dynamic(reference.group) }
        case nil: break
        }
        throw Self.failure(place, "its type '\(typeName)' is not described")
    }

    private static func joined(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : "\(scope).\(name)" }

    private static func failure(_ place: String, _ reason: String) -> RPCError {
        RPCError(.invalidArgument, "descriptor of \(place): \(reason)")
    }
}
