// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

struct DynamicMessageTests {
    private static let pool = Result { try DescriptorPool(serialized: ProtocOracle.describe("test/everything.proto")) }
    private static let legacy = Result { try DescriptorPool(serialized: ProtocOracle.describe("test/legacy.proto")) }

    private func schema(_ name: String) throws -> MessageSchema {
        try #require(try Self.pool.get()[name] ?? Self.legacy.get()[name])
    }

    /// A table made at run time says the same as the one of generated code.
    private func expect<M: ProtobufMessage>(_ message: M) throws {
        let schema = try schema(M.schema.name)
        let bytes = try message.serializedBytes()
        let dynamic = try DynamicMessage(schema, serialized: bytes)
        #expect(try dynamic.message(M.self) == message)
        #expect(try DynamicMessage(message).serializedBytes() == dynamic.serializedBytes())
        #expect(dynamic.textFormat() == message.textFormat())
        let json = try dynamic.jsonString()
        #expect(try json == message.jsonString())
        #expect(try DynamicMessage(schema, json: json) == dynamic)
    }

    @Test func `messages of every construct, without generated code`() throws {
        try expect(Samples.scalars)
        try expect(Samples.optionals)
        try expect(Samples.emptyButPresent)
        try expect(Samples.lists)
        try expect(Samples.maps)
        for (choice, _) in Samples.choices { try expect(choice) }
        try expect(Samples.tree)
        try expect(Samples.imports)
        try expect(Samples.names)
        try expect(Samples.sparse)
        try expect(
            LegacyGroups(
                single: .init(a: 1, many: [.init(text: "x", deeper: LegacyGroups(after: 1))]),
                item: [.init(id: 1, numbers: [2]), .init(id: 2)], choice: .picked(.init(blob: [1]))))
        try expect(LegacyLists(numbers: [1], packed: [2], lights: [.amber], byName: ["a": .on], texts: [""]))
        try expect(LegacyDefaults(aFloat: 0, aBool: false, aString: ""))
    }

    @Test func `fields are read and set by their names`() throws {
        var tree = DynamicMessage(try schema("test.everything.Tree"))
        try tree.set("label", .string("root"))
        try tree.set("left", .message(tree))
        try tree.set("named", .map([.string("k"): .message(tree)]))
        let read: Tree = try tree.message()
        #expect(read.left?.label == "root" && read.named["k"]?.left?.label == "root")
        #expect(tree["label"] == .string("root") && tree["right"] == nil && tree["what"] == nil && tree[1] != nil)
        try tree.set("left", nil)
        #expect(tree["left"] == nil)
        try tree.set("label", .string(""))
        #expect(tree["label"] == nil)
    }

    @Test func `values of another type and fields that there are not are refused`() throws {
        var tree = DynamicMessage(try schema("test.everything.Tree"))
        let other = DynamicMessage(try schema("test.everything.Ping"))
        for (name, value) in [
            ("label", FieldValue.int32(1)), ("left", .message(other)), ("left", .list([])), ("more", .message(tree)),
            ("more", .list([.message(other)])), ("named", .map([.int32(1): .message(tree)])), ("what", .bool(true)),
        ] {
            let error = try #require(throws: RPCError.self) { try tree.set(name, value) }
            #expect(error.code == .invalidArgument)
        }
        #expect(try tree.serializedBytes().isEmpty)
    }

    @Test func `a member of a oneof removes the others`() throws {
        var choices = DynamicMessage(try schema("test.everything.Choices"))
        try choices.set("number", .int32(0))
        #expect(choices["number"] == .int32(0))
        try choices.set("text", .string(""))
        #expect(choices["number"] == nil)
        #expect(try choices.message(Choices.self) == Choices(firstChoice: .text("")))
    }

    @Test func `extensions and messages in an Any are known by their pool`() throws {
        let types = try Self.legacy.get().types
        var options = JSONDecodingOptions()
        options.types = types
        let json = #"{"own":1,"[test.legacy.a_number]":5,"[test.legacy.Scope.inside]":{"text":"x"}}"#
        let message = try DynamicMessage(schema("test.legacy.Extendable"), json: json, options)
        var encoding = JSONEncodingOptions()
        encoding.types = types
        #expect(try message.jsonString(encoding) == json)
        let generated: LegacyExtendable = try message.message()
        #expect(generated[LegacyLegacyExtensions.aNumber] == 5)
        let any = try ProtobufAny(packing: Tree(label: "x"))
        #expect(try any.unpacked(Self.pool.get().types)["label"] == .string("x"))
    }

    @Test func `malformed bytes are refused as those of generated messages are`() throws {
        let schema = try schema("test.everything.Tree")
        let error = try #require(throws: RPCError.self) { try DynamicMessage(schema, serialized: Wire.data(2, [0x0A])) }
        #expect(error.message.contains("test.everything.Tree.left"))
        #expect(throws: RPCError.self) { try DynamicMessage(self.schema("test.legacy.Needy"), serialized: []) }
    }

    @Test func `descriptors that protoc would not write are refused`() throws {
        func refusal(_ change: (inout ProtobufFieldDescriptorProto) -> Void) throws -> String {
            var field = ProtobufFieldDescriptorProto(name: "f", number: 1, label: .optional, type: .int32)
            change(&field)
            let message = ProtobufDescriptorProto(name: "M", field: [field, .init(name: "g", number: 2, type: .bool)])
            let file = ProtobufFileDescriptorProto(name: "x.proto", package: "p", messageType: [message])
            let error = #expect(throws: RPCError.self) { try DescriptorPool(.init(file: [file])) }
            return error?.message ?? "accepted"
        }
        for number: Int32? in [nil, 0, -1, 1 << 29, .min] {
            #expect(try refusal { $0.number = number } == "descriptor of p.M.f: the number is outside 1...536870911")
        }
        #expect(try refusal { $0.number = 2 }.contains("is taken"))
        #expect(try refusal { $0.oneofIndex = 0 }.contains("in no oneof"))
        #expect(try refusal { $0.oneofIndex = -1 }.contains("in no oneof"))
        #expect(try refusal { $0.type = nil }.contains("is not described"))
        #expect(try refusal { ($0.type, $0.typeName) = (.message, ".p.N") }.contains("'p.N' is not described"))
        #expect(try refusal { ($0.type, $0.typeName) = (.enum, ".p.M") }.contains("is not described"))
        #expect(throws: RPCError.self) { try DescriptorPool(serialized: [0xFF]) }
    }

    @Test func `a chain of thousands of messages does not exhaust the stack`() throws {
        let count = 20_000
        var messages = (0..<count).map { index in
            ProtobufDescriptorProto(
                name: "M\(index)",
                field: [
                    .init(
                        name: "next", number: 1, label: .optional, type: .message, typeName: "M\((index + 1) % count)")
                ])
        }
        messages[count - 1].field.append(.init(name: "needed", number: 2, label: .required, type: .bool))
        let pool = try DescriptorPool(.init(file: [.init(name: "x.proto", messageType: messages)]))
        let schema = try #require(pool["M0"])
        #expect(
            try DynamicMessage(schema, serialized: Wire.data(1, Wire.data(1, []))).description == "next { next { } }")
    }

    @Test func `tables that only share a well-known type's name do no harm`() throws {
        for name in ["Timestamp", "Duration", "Struct", "ListValue", "Value", "Any", "FieldMask", "Int32Value"] {
            let field = ProtobufFieldDescriptorProto(name: "x", number: 1, label: .optional, type: .bytes)
            let message = ProtobufDescriptorProto(name: name, field: [field])
            let file = ProtobufFileDescriptorProto(name: "x.proto", package: "google.protobuf", messageType: [message])
            let schema = try #require(try DescriptorPool(.init(file: [file]))["google.protobuf.\(name)"])
            let dynamic = try DynamicMessage(schema, serialized: Wire.data(1, [1, 2]))
            _ = try? dynamic.jsonString()
            for json in ["{}", "[]", "1", "\"1s\"", "\"1970-01-01T00:00:00Z\"", "{\"a\":1}", "[1]", "null"] {
                _ = try? DynamicMessage(schema, json: json)
            }
            #expect(try dynamic.serializedBytes() == Wire.data(1, [1, 2]))
        }
    }
}
