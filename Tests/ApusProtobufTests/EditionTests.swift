// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusProtobuf

/// Edition 2023, with a protoc that knows it at the other end.
struct EditionTests {
    private static let pools = Result {
        try ["test/editions.proto", "test/editions_old.proto"].map {
            try DescriptorPool(serialized: ProtocOracle.describe($0))
        }
    }

    private static let everything = EditionDefaults(
        explicit: 0, implicit: 7, required: "r", withDefault: false, packed: [1, 2], expanded: [3, 4],
        prefixed: EditionPart(name: "p"), delimited: EditionPart(name: ""),
        parts: [EditionPart(name: "a"), EditionPart()], byName: ["k": EditionPart(name: "v")], color: .red,
        size: .large, sizes: [.small, .large], inner: EditionDefaults(required: ""), unchecked: [0xFF],
        unverified: "é", choice: .part(EditionPart(name: "c")), group: .init(value: -1),
        lists: LegacyLists(numbers: [5], packed: [6]))

    private static let everythingText = """
        explicit: 0 implicit: 7 required: "r" with_default: false packed: [1, 2] expanded: [3, 4]
        prefixed { name: "p" } delimited { name: "" } parts { name: "a" } parts {}
        by_name { key: "k" value { name: "v" } } color: COLOR_RED size: SIZE_LARGE sizes: [SIZE_SMALL, SIZE_LARGE]
        inner { required: "" } unchecked: "\\377" unverified: "é" part { name: "c" } Group { value: -1 }
        lists { numbers: 5 packed: 6 }
        """

    private static let old = EditionOld(
        implicit: 1, explicit: 0, expanded: [2, 3], packed: [4, 5], inner: EditionOld(implicit: 6),
        prefixed: EditionOld(implicit: 7), byNumber: [8: EditionOld(inner: EditionOld())], shape: .round, level: .high,
        nested: .init(delimited: EditionOld(implicit: 9), inside: .closed))

    private static let oldText = """
        implicit: 1 explicit: 0 expanded: [2, 3] packed: [4, 5] inner { implicit: 6 } prefixed { implicit: 7 }
        by_number { key: 8 value { inner {} } } shape: SHAPE_ROUND level: LEVEL_HIGH
        Nested { delimited { implicit: 9 } inside: INSIDE_CLOSED }
        """

    /// protoc writes the text's message as we do, byte for byte, but for the groups, which we write last.
    private func exchange<M: ProtobufMessage>(_ message: M, _ text: String) throws {
        let theirs = try ProtocOracle.encode(M.schema.name, text)
        #expect(try M(serialized: theirs) == message)
        let ours = try message.serializedBytes()
        #expect(ours.count == theirs.count)
        #expect(try M(serialized: ours) == message)
        let read = try #require(try ProtocOracle.decode(M.schema.name, ours))
        #expect(try read == ProtocOracle.decode(M.schema.name, theirs))
        #expect(try ProtocOracle.encode(M.schema.name, message.textFormat()) == theirs)
        #expect(try M(json: message.jsonString()) == message)
    }

    @Test func `features of fields, messages and oneofs decide how each is written`() throws {
        try exchange(Self.everything, Self.everythingText)
    }

    @Test func `features of a file hold for all that does not say otherwise`() throws {
        try exchange(Self.old, Self.oldText)
    }

    @Test func `lists and messages have the form that their features name`() throws {
        #expect(try EditionOld(expanded: [1, 2]).serializedBytes() == [24, 1, 24, 2])
        #expect(try EditionOld(packed: [1, 2]).serializedBytes() == [34, 2, 1, 2])
        #expect(try EditionOld(inner: EditionOld()).serializedBytes() == Wire.group(5, []))
        #expect(try EditionOld(prefixed: EditionOld()).serializedBytes() == Wire.data(6, []))
        let entry = Wire.number(1, 0) + Wire.data(2, [])
        #expect(try EditionOld(serialized: Wire.data(7, entry)).byNumber == [0: EditionOld()])
    }

    @Test func `presence is explicit, implicit or required`() throws {
        #expect(try EditionDefaults(explicit: 0, implicit: 0, required: "").serializedBytes() == [8, 0, 26, 0])
        #expect(EditionDefaults(required: "").withDefaultOrDefault)
        let error = try #require(throws: RPCError.self) { try EditionDefaults(serialized: []) }
        #expect(error.message == "malformed test.editions.Defaults.required: a required field is missing")
    }

    @Test func `enums are open unless their features close them`() throws {
        let open = try EditionDefaults(serialized: Wire.text(3, "") + Wire.number(11, 9))
        #expect(open.color == .unrecognized(9) && open.unknownFields.bytes.isEmpty)
        let closed = try EditionDefaults(serialized: Wire.text(3, "") + Wire.number(12, 9))
        #expect(closed.size == nil && closed.unknownFields.bytes == Wire.number(12, 9))
        #expect(try EditionOld(serialized: Wire.number(9, 9)).level == .unrecognized(9))
        #expect(try EditionOld.Nested(serialized: Wire.number(2, 9)).inside == nil)
    }

    @Test func `extensions have features, too`() throws {
        var message = EditionDefaults(required: "")
        message[EditionEditionsExtensions.extensionPart] = EditionPart(name: "x")
        message[EditionEditionsExtensions.extensionNumbers] = [1, 2]
        let bytes = try message.serializedBytes()
        #expect(bytes == [26, 0] + Wire.group(100, Wire.text(1, "x")) + Wire.data(101, [1, 2]))
        #expect(try ProtocOracle.decode("test.editions.Defaults", bytes)?.contains("extension_part] {") == true)
    }

    @Test func `tables made at run time say the same as those of generated code`() throws {
        for (pool, schema) in zip(try Self.pools.get(), [EditionDefaults.schema, EditionOld.schema]) {
            let dynamic = try #require(pool[schema.name])
            #expect(dynamic.fields.count == schema.fields.count)
            for (made, generated) in zip(dynamic.fields, schema.fields) {
                #expect("\(made.shape)" == "\(generated.shape)" && made.type.wireType == generated.type.wireType)
            }
        }
        let pool = try Self.pools.get()[0]
        let schema = try #require(pool["test.editions.Defaults"])
        let message = try DynamicMessage(schema, serialized: Self.everything.serializedBytes())
        #expect(try message.message() == Self.everything)
        #expect(message.textFormat() == Self.everything.textFormat())
        let error = try #require(throws: RPCError.self) { try DynamicMessage(schema, serialized: []) }
        #expect(error.message == "malformed test.editions.Defaults.required: a required field is missing")
    }

    @Test(arguments: [("editions", ProtobufEdition.edition2024), ("editions", nil), ("proto4", nil)])
    func `a pool refuses a syntax or edition that it does not know`(syntax: String, edition: ProtobufEdition?) throws {
        var file = ProtobufFileDescriptorProto()
        (file.name, file.syntax, file.edition) = ("new.proto", syntax, edition)
        let error = try #require(throws: RPCError.self) {
            try DescriptorPool(ProtobufFileDescriptorSet(file: [file]))
        }
        #expect(error.code == .invalidArgument && error.message.contains("new.proto"))
    }

    @Test func `proto2 and proto3 are editions with defaults of their own`() throws {
        let proto2 = try #require(EditionFeatures(syntax: "", edition: 0, options: nil))
        let proto3 = try #require(EditionFeatures(syntax: "proto3", edition: 0, options: nil))
        let newest = try #require(EditionFeatures(syntax: "editions", edition: 1000, options: nil))
        #expect([proto2, proto3, newest].map(\.hasPresence) == [true, false, true])
        #expect([proto2, proto3, newest].map(\.isClosed) == [true, false, false])
        #expect([proto2, proto3, newest].map(\.isPacked) == [false, true, true])
        #expect(![proto2, proto3, newest].contains { $0.isDelimited || $0.isRequired })
        #expect(newest == EditionFeatures())
    }
}
