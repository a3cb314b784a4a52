// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// What only proto2 has, with protoc at the other end.
struct LegacyTests {
    /// What protoc writes is read as the message, and what is written of the message reads the same to protoc.
    private func exchange<M: ProtobufMessage>(_ message: M, _ text: String) throws {
        let theirs = try ProtocOracle.encode(M.schema.name, text)
        #expect(try M(serialized: theirs) == message)
        let ours = try message.serializedBytes()
        #expect(try M(serialized: ours) == message)
        #expect(try ProtocOracle.decode(M.schema.name, ours) == ProtocOracle.decode(M.schema.name, theirs))
    }

    @Test func `absent fields are nil, and have the default of the .proto file beside`() throws {
        let message = LegacyDefaults()
        #expect(message.aDouble == nil && message.aDoubleOrDefault == -1.5e10)
        #expect(message.aFloatOrDefault == .infinity && message.notANumberOrDefault.isNaN)
        #expect(message.anInt32OrDefault == -42 && message.anInt64OrDefault == .min)
        #expect(message.aUint32OrDefault == .max && message.aUint64OrDefault == .max)
        #expect(message.aBoolOrDefault && message.lightOrDefault == .green)
        #expect(message.aStringOrDefault == "say \"hi\"\n\\é")
        #expect(message.someBytesOrDefault == [1, 255, 92, 120, 10])
        var changed = message
        changed.anInt32 = 0
        #expect(changed.anInt32OrDefault == 0)
        #expect(try message.serializedBytes() == [])
    }

    @Test func `a field set to its default is sent`() throws {
        try exchange(
            LegacyDefaults(aFloat: .infinity, anInt32: -42, aSint32: 0, aBool: false, aString: "", someBytes: []),
            "a_float: inf an_int32: -42 a_sint32: 0 a_bool: false a_string: '' some_bytes: ''")
    }

    @Test func `lists are unpacked unless the .proto file says so`() throws {
        try exchange(
            LegacyLists(
                numbers: [1, -1], packed: [2, 3], lights: [.red, .green], packedLights: [.amber], byName: ["a": .on],
                doubles: [0.5], sint64s: [.min], bools: [true, false], blobs: [[], [0]], texts: ["", "x"]),
            """
            numbers: [1, -1] packed: [2, 3] lights: [RED, GREEN] packed_lights: AMBER by_name { key: "a" value: ON }
            doubles: 0.5 sint64s: -9223372036854775808 bools: [true, false] blobs: ["", "\\000"] texts: ["", "x"]
            """)
        #expect(try LegacyLists(numbers: [1, 2]).serializedBytes() == [8, 1, 8, 2])
        #expect(try LegacyLists(packed: [1, 2]).serializedBytes() == [18, 2, 1, 2])
    }

    @Test func `numbers without a name are no values of a closed enum, but are kept`() throws {
        #expect(LegacyLight(rawValue: 4) == nil)
        #expect(LegacyLight() == .red)
        let bytes = Wire.number(16, 4) + Wire.number(16, 7)
        let message = try LegacyDefaults(serialized: bytes)
        #expect(message.light == .amber && message.unknownFields.bytes == Wire.number(16, 4))
        let entry = Wire.data(5, Wire.text(1, "k") + Wire.number(2, 9))
        let lists = try LegacyLists(serialized: Wire.data(5, Wire.text(1, "a") + Wire.number(2, 5)) + entry)
        #expect(lists.byName == ["a": .on] && lists.unknownFields.bytes == entry)
    }

    @Test func `required fields are written also when they are zero`() throws {
        let needy = LegacyNeedy(id: 0, name: "", light: .amber, inner: .init(key: 0))
        try exchange(needy, "id: 0 name: '' light: AMBER inner { key: 0 }")
        #expect(LegacyNeedy().light == .amber)
    }

    @Test func `a message without a required field is refused, with the field's path`() throws {
        func refusal<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws -> String {
            let error = try #require(throws: RPCError.self) { try M(serialized: bytes) }
            #expect(error.code == .internal)
            return error.message
        }
        let needy = try LegacyNeedy(id: 1, name: "n", light: .red, inner: .init(key: 1)).serializedBytes()
        #expect(try refusal(LegacyNeedy.self, []) == "malformed test.legacy.Needy.id: a required field is missing")
        #expect(
            try refusal(LegacyHolder.self, Wire.data(1, Wire.number(1, 1)))
                == "malformed test.legacy.Holder.one.name: a required field is missing")
        #expect(
            try refusal(LegacyHolder.self, Wire.data(2, needy) + Wire.data(2, needy + Wire.data(5, Wire.data(4, []))))
                == "malformed test.legacy.Holder.many.next.id: a required field is missing")
        #expect(
            try refusal(LegacyHolder.self, Wire.data(3, []))
                == "malformed test.legacy.Holder.chosen.id: a required field is missing")
        #expect(
            try refusal(LegacyNeedy.self, Wire.number(1, 1) + Wire.text(2, "") + Wire.number(3, 5) + Wire.data(4, []))
                == "malformed test.legacy.Needy.light: a required field is missing")
    }

    @Test func `a map's entry without its value lacks what that requires, unless another has its key`() throws {
        let needy = try LegacyNeedy(id: 1, name: "n", light: .red, inner: .init(key: 1)).serializedBytes()
        let (empty, whole) = (Wire.data(6, Wire.number(1, 5)), Wire.data(6, Wire.number(1, 5) + Wire.data(2, needy)))
        let error = try #require(throws: RPCError.self) { try LegacyLists(serialized: whole + empty) }
        #expect(error.message == "malformed test.legacy.Lists.needy.value.id: a required field is missing")
        #expect(try LegacyLists(serialized: empty + whole).needy[5]?.id == 1)
    }

    @Test func `required fields may come in pieces that are merged`() throws {
        let needy = LegacyNeedy(id: 1, name: "n", light: .red, inner: .init(key: 1))
        let bytes = try needy.serializedBytes()
        let pieces = [bytes.prefix(2), bytes.dropFirst(2)].map { Wire.data(1, Array($0)) }
        #expect(try LegacyHolder(serialized: pieces[0] + pieces[1]).one == needy)
        #expect(throws: RPCError.self) { try LegacyHolder(serialized: pieces[0]) }
    }

    @Test func `groups, in lists, oneofs and each other`() throws {
        let deep = LegacyGroups(item: [.init(id: 5)], after: 9)
        let groups = LegacyGroups(
            single: .init(a: 1, many: [.init(text: "x", deeper: deep), .init()]),
            item: [.init(id: 1, numbers: [2, 3]), .init(id: 4)], choice: .picked(.init(blob: [7])), after: 8)
        try exchange(
            groups,
            """
            Single { a: 1 Many { text: "x" deeper { Item { id: 5 } after: 9 } } Many {} } Item { id: 1 numbers: [2, 3] }
            Item { id: 4 } Picked { blob: "\\007" } after: 8
            """)
        try exchange(LegacyGroups(single: .init()), "Single {}")
        try exchange(LegacyGroups(choice: .text("t")), "text: 't'")
    }

    @Test func `large values in groups are written where they belong`() throws {
        let text = String(repeating: "x", count: 5000)
        let groups = LegacyGroups(single: .init(many: [.init(text: text), .init(text: text + "y")]))
        #expect(try LegacyGroups(serialized: groups.serializedBytes()) == groups)
    }

    @Test func `groups that come twice are merged, and what is no group is kept`() throws {
        let twice = Wire.group(1, Wire.number(1, 1)) + Wire.group(1, Wire.group(2, []))
        #expect(try LegacyGroups(serialized: twice) == LegacyGroups(single: .init(a: 1, many: [.init()])))
        let other = try LegacyGroups(serialized: Wire.data(1, [8, 1]) + Wire.group(7, []))
        #expect(other.single == nil && other.unknownFields.bytes == Wire.data(1, [8, 1]) + Wire.group(7, []))
    }

    @Test func `groups that do not end, end otherwise or are nested too deep are refused`() throws {
        for bytes in [
            Wire.tag(1, 3), Wire.tag(1, 3) + Wire.tag(3, 4), Wire.tag(1, 4), Wire.tag(1, 3) + Wire.tag(2, 4),
            Wire.data(10, []) + Wire.tag(9, 4), Wire.group(1, Wire.tag(1, 4)) + Wire.tag(1, 4),
        ] {
            #expect(throws: RPCError.self, "\(bytes)") { try LegacyGroups(serialized: bytes) }
            #expect(try ProtocOracle.decode("test.legacy.Groups", bytes) == nil)
        }
        #expect(throws: RPCError.self) { try LegacyGroups(serialized: Wire.group(3, Wire.number(2, 1))) }
        var nested: [UInt8] = []
        for _ in 0..<33 { nested = Wire.group(1, Wire.group(2, Wire.data(3, nested))) }
        #expect(try LegacyGroups(serialized: nested).single != nil)
        nested = Wire.group(1, Wire.group(2, Wire.data(3, nested)))
        #expect(throws: RPCError.self) { try LegacyGroups(serialized: nested) }
        #expect(throws: RPCError.self) {
            try LegacyGroups(serialized: [UInt8](repeating: 0x0B, count: 1_000_000))
        }
    }

    @Test func `JSON names and custom options`() {
        #expect(LegacyJSONNames.schema.fields.map(\.jsonName) == ["someField", "@strange \"one\""])
        var options = ProtobufFieldOptions()
        options[LegacyLegacyExtensions.note] = "remember me"
        #expect(options[LegacyLegacyExtensions.note] == "remember me")
    }
}
