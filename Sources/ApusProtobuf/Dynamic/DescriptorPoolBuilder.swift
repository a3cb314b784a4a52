// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Makes tables of descriptors. What comes from outside is checked here: tables trust their fields.
struct DescriptorPoolBuilder {
    private struct Message {
        let name: String
        let descriptor: ProtobufDescriptorProto
        let features: EditionFeatures
    }

    private var messages: [Message] = []
    private var entries: [String: ProtobufDescriptorProto] = [:]
    private var enums: [String: EnumSchema] = [:]
    private var extensions: [(scope: String, field: ProtobufFieldDescriptorProto, features: EditionFeatures)] = []
    private var references: [String: (message: SchemaReference, group: SchemaReference)] = [:]

    mutating func collect(_ file: ProtobufFileDescriptorProto) throws(RPCError) {
        let scope = file.package ?? ""
        let edition = file.edition?.rawValue ?? 0
        guard
            let features = EditionFeatures(
                syntax: file.syntax ?? "", edition: edition, options: file.options?.features)
        else { throw Self.failure(file.name ?? "", "its syntax or edition is not known") }
        for enumeration in file.enumType { collect(enumeration, in: scope, features) }
        for message in file.messageType { collect(message, in: scope, features) }
        for field in file.extension { extensions.append((scope, field, features)) }
    }

    private mutating func collect(
        _ enumeration: ProtobufEnumDescriptorProto, in scope: String, _ outer: EditionFeatures
    ) {
        let name = Self.joined(scope, enumeration.name ?? "")
        enums[name] = EnumSchema(
            name, enumeration.value.map { (number: $0.number ?? 0, name: $0.name ?? "") },
            isClosed: outer.refined(by: enumeration.options?.features).isClosed)
    }

    private mutating func collect(_ message: ProtobufDescriptorProto, in scope: String, _ outer: EditionFeatures) {
        let name = Self.joined(scope, message.name ?? "")
        let features = outer.refined(by: message.options?.features)
        if message.options?.mapEntry == true {
            entries[name] = message
        } else if references[name] == nil {
            messages.append(Message(name: name, descriptor: message, features: features))
            references[name] = (SchemaReference(isGroup: false), SchemaReference(isGroup: true))
        }
        for enumeration in message.enumType { collect(enumeration, in: name, features) }
        for nested in message.nestedType { collect(nested, in: name, features) }
        for field in message.extension { extensions.append((name, field, features)) }
    }

    func makeMessages() throws(RPCError) -> [String: MessageSchema] {
        var schemas: [String: MessageSchema] = [:]
        for message in messages {
            var fields: [FieldSchema] = []
            var numbers: Set<Int> = []
            for descriptor in message.descriptor.field {
                let field = try field(
                    descriptor, in: message.name, message.features, message.descriptor.oneofDecl)
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
        for (scope, descriptor, features) in extensions {
            let name = Self.joined(scope, descriptor.name ?? "")
            guard let extendee = schemas[String((descriptor.extendee ?? "").drop { $0 == "." })] else {
                throw Self.failure(name, "the extended message '\(descriptor.extendee ?? "")' is not described")
            }
            var single = descriptor
            (single.name, single.oneofIndex) = (name, nil)
            var field = try field(single, in: scope, features, [])
            if case .implicit = field.shape { field = FieldSchema(field.number, name, field.type, .optional) }
            let carrier = MessageSchema("\(extendee.name).[\(name)]", [field])
            made.append(DynamicExtension(field: field, extendee: extendee, carrier: carrier))
        }
        return made
    }

    private func field(
        _ descriptor: ProtobufFieldDescriptorProto, in message: String, _ outer: EditionFeatures,
        _ oneofs: [ProtobufOneofDescriptorProto]
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
        let features = try features(of: descriptor, outer, oneofs, place)
        let type = try type(descriptor, place, isDelimited: features.isDelimited)
        let shape = shape(descriptor, type, features)
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

    private func features(
        of field: ProtobufFieldDescriptorProto, _ outer: EditionFeatures, _ oneofs: [ProtobufOneofDescriptorProto],
        _ place: String
    ) throws(RPCError) -> EditionFeatures {
        var features = outer
        if let index = field.oneofIndex {
            guard oneofs.indices.contains(Int(index)) else { throw Self.failure(place, "it is in no oneof") }
            features = features.refined(by: oneofs[Int(index)].options?.features)
        }
        return features.refined(by: field.options?.features)
    }

    private func shape(
        _ field: ProtobufFieldDescriptorProto, _ type: FieldType, _ features: EditionFeatures
    ) -> FieldShape {
        if field.label == .repeated {
            let isPackable = !type.isData && !type.isMessage
            return isPackable && field.options?.packed ?? features.isPacked ? .packed : .repeated
        }
        if let index = field.oneofIndex, field.proto3Optional != true { return .oneof(Int(index)) }
        if field.label == .required || features.isRequired { return .required }
        return features.hasPresence || field.proto3Optional == true || type.isMessage ? .optional : .implicit
    }

    private func type(
        _ field: ProtobufFieldDescriptorProto, _ place: String, isDelimited: Bool = false
    ) throws(RPCError) -> FieldType {
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
        case .message:
            if let reference = references[typeName] {
                return .dynamic(isDelimited ? reference.group : reference.message)
            }
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
