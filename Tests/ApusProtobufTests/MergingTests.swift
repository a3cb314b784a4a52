// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

/// What libprotobuf-c would refuse or get wrong, and what protobuf means by it.
struct MergingTests {
    /// Reads like the text, as protoc reads the same bytes.
    private func expect<M: ProtobufMessage>(_ bytes: [UInt8], _ message: M) throws {
        let read = try M(serialized: bytes)
        #expect(read == message)
        let theirs = try ProtocOracle.decode(M.schema.name, bytes)
        #expect(theirs != nil)
        #expect(try ProtocOracle.decode(M.schema.name, read.serializedBytes()) == theirs)
    }

    @Test func `the occurrences of a singular message are merged`() throws {
        let bytes =
            Wire.data(2, Wire.text(1, "a") + Wire.data(3, Wire.text(1, "r"))) + Wire.text(1, "root")
            + Wire.data(2, Wire.text(1, "b") + Wire.data(4, [])) + Wire.data(2, Wire.data(3, Wire.data(4, [])))
        try expect(
            bytes, Tree(label: "root", left: Tree(label: "b", right: Tree(label: "r", more: [Tree()]), more: [Tree()])))
    }

    @Test func `unknown fields of merged messages are all kept`() throws {
        let bytes = Wire.data(2, Wire.number(50, 1)) + Wire.data(2, Wire.number(51, 2))
        let tree = try Tree(serialized: bytes)
        #expect(tree.left?.unknownFields.bytes == Wire.number(50, 1) + Wire.number(51, 2))
        #expect(try tree.serializedBytes() == Wire.data(2, Wire.number(50, 1) + Wire.number(51, 2)))
    }

    @Test func `merging two megabytes of duplicates gives one message with all their elements`() throws {
        let one = Wire.data(2, Wire.data(4, []))
        let bytes = Array(repeatElement(one, count: 500_000).joined())
        let tree = try Tree(serialized: bytes)
        #expect(tree.left?.more.count == 500_000)
        #expect(tree.unknownFields.isEmpty)
    }

    @Test func `a oneof's message that comes twice is merged`() throws {
        let bytes =
            Wire.data(4, Wire.number(3, 5)) + Wire.text(1, "between") + Wire.data(4, Wire.text(14, "x"))
        try expect(bytes, Choices(before: "between", firstChoice: .scalars(Scalars(anInt32: 5, aString: "x"))))
    }

    @Test func `another member of the oneof in between drops what came before`() throws {
        let first = Wire.data(4, Wire.number(3, 5))
        try expect(
            first + Wire.number(3, 1) + Wire.data(4, Wire.text(14, "x")),
            Choices(firstChoice: .scalars(Scalars(aString: "x"))))
        try expect(first + Wire.data(4, []) + Wire.text(2, "last"), Choices(firstChoice: .text("last")))
        try expect(
            first + Wire.data(5, Wire.text(1, "c")) + first, Choices(firstChoice: .scalars(Scalars(anInt32: 5))))
    }

    @Test func `a oneof without messages takes the last of its members`() throws {
        try expect(Wire.number(20, 1) + Wire.number(21, 3) + Wire.number(20, 0), Choices(second: .yes(false)))
    }

    @Test func `known fields of another wire type become unknown fields and are kept`() throws {
        let wrong =
            Wire.text(3, "no number") + Wire.number(14, 1) + Wire.tag(1, 5) + [1, 2, 3, 4]
            + Wire.group(16, Wire.number(1, 1)) + Wire.tag(13, 1) + [1, 2, 3, 4, 5, 6, 7, 8]
        let scalars = try Scalars(serialized: wrong + Wire.number(4, 9))
        #expect(scalars.anInt64 == 9)
        #expect(scalars.unknownFields.bytes == wrong)
        try expect(Wire.number(4, 9) + wrong, scalars)
        #expect(try scalars.serializedBytes() == Wire.number(4, 9) + wrong)
    }

    @Test func `unknown groups are kept, at any level`() throws {
        let group = Wire.group(90, Wire.group(91, Wire.number(1, 1)) + Wire.text(2, "in a group"))
        let tree = try Tree(serialized: Wire.data(4, Wire.data(2, group)))
        #expect(tree.more.first?.left?.unknownFields.bytes == group)
        #expect(try tree.serializedBytes() == Wire.data(4, Wire.data(2, group)))
    }

    @Test func `what is set aside stays in its own message`() throws {
        let group = Wire.group(90, [])
        let bytes = group + group + Wire.data(2, group + Wire.data(3, group)) + group + Wire.number(1, 5) + group
        let tree = try Tree(serialized: bytes)
        #expect(tree.unknownFields.bytes == group + group + group + Wire.number(1, 5) + group)
        #expect(tree.left?.unknownFields.bytes == group)
        #expect(tree.left?.right?.unknownFields.bytes == group)
    }

    @Test func `unknown fields of every kind survive decoding and encoding`() throws {
        let unknown =
            Wire.number(1000, .max) + Wire.data(16, [1, 2, 3]) + Wire.tag(2000, 5) + [1, 2, 3, 4]
            + Wire.tag(536_870_911, 1) + [1, 2, 3, 4, 5, 6, 7, 8] + Wire.data(17, [])
        let nothing = try Nothing(serialized: unknown)
        #expect(nothing.unknownFields.bytes == unknown)
        #expect(try nothing.serializedBytes() == unknown)
        #expect(nothing != Nothing())
    }

    @Test func `tags of unknown fields are kept in their shortest form, whoever unpacks them`() throws {
        let long: [UInt8] = [0xB5, 0x00, 1, 2, 3, 4]
        let short: [UInt8] = [0x35, 1, 2, 3, 4]
        #expect(try Nothing(serialized: short + long).unknownFields.bytes == short + short)
        let group = Wire.group(90, [])
        #expect(try Nothing(serialized: group + long + long).unknownFields.bytes == group + short + short)
    }

    @Test func `-0 is a value and not a default`() throws {
        let bytes = try Scalars(aDouble: -0.0, aFloat: -0.0).serializedBytes()
        #expect(bytes == [0x09, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x15, 0, 0, 0, 0x80])
        #expect(try Scalars(aDouble: 0, aFloat: 0).serializedBytes() == [])
    }

    @Test func `a message too deep to be read by anyone is not written`() throws {
        var tree = Tree()
        for _ in 0..<100 { tree = Tree(left: tree) }
        #expect(try Tree(serialized: tree.serializedBytes()) == tree)
        let deeper = Tree(left: tree)
        #expect(throws: (any Error).self) { try deeper.serializedBytes() }
        #expect(try Tree(label: "next").serializedBytes() == Wire.text(1, "next"))
    }
}
