// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

/// Text format, with protoc as its reader.
struct TextFormatTests {
    private func expect<M: ProtobufMessage>(_ message: M) throws {
        let read = try ProtocOracle.encode(M.schema.name, message.textFormat())
        #expect(try M(serialized: read) == message)
        #expect(try M(serialized: ProtocOracle.encode(M.schema.name, message.description)) == message)
    }

    @Test func `what is written is what protoc reads`() throws {
        try expect(Samples.scalars)
        try expect(Samples.optionals)
        try expect(Samples.lists)
        try expect(Samples.maps)
        try expect(Samples.tree)
        try expect(Samples.imports)
        for (choice, _) in Samples.choices { try expect(choice) }
        try expect(Scalars(aDouble: .infinity, aFloat: -.infinity))
        try expect(
            LegacyGroups(single: .init(many: [.init(text: "\"\n\\\t\u{1}é")]), item: [.init(id: 1), .init(id: 2)]))
    }

    @Test func `it is protoc's text, line for line`() throws {
        let message = Tree(label: "é", left: Tree(), more: [Tree(label: "a"), Tree()])
        let text = "label: \"é\"\nleft {\n}\nmore {\n  label: \"a\"\n}\nmore {\n}\n"
        #expect(message.textFormat() == text)
        let theirs = try #require(try ProtocOracle.decode("test.everything.Tree", message.serializedBytes()))
        #expect(theirs == text.replacing("é", with: "\\303\\251"))
    }

    @Test func `a description is one line, also of messages with a field of that name`() {
        #expect("\(Tree(label: "x", left: Tree(label: "y")))" == #"label: "x" left { label: "y" }"#)
        #expect(String(describing: LegacyCollisions(description: 5)) == "description: 5")
        #expect("\(Nothing())".isEmpty)
        #expect("\(Scalars(aDouble: .nan))" == "a_double: nan")
    }

    @Test func `extensions and packed messages are named when they are known, else shown as they came`() throws {
        var message = LegacyExtendable(own: 1)
        message[LegacyLegacyExtensions.grouped] = .init(x: 3)
        message[LegacyLegacyExtensions.aNumber] = 5
        #expect(message.description == "own: 1 105 { 1: 3 } 100: 5")
        let types = TypeRegistry([Tree.self], extensions: LegacyLegacyExtensions.all)
        #expect(message.textFormat(types) == "own: 1\n[test.legacy.a_number]: 5\n[test.legacy.grouped] {\n  x: 3\n}\n")
        let any = try ProtobufAny(packing: Tree(label: "x"))
        #expect(any.textFormat(types) == "[type.googleapis.com/test.everything.Tree] {\n  label: \"x\"\n}\n")
        #expect(any.description == #"type_url: "type.googleapis.com/test.everything.Tree" value: "\n\001x""#)
    }

    @Test func `unknown fields of every kind`() throws {
        let unknown =
            Wire.number(9, 5) + Wire.tag(8, 5) + [1, 0, 0, 0] + Wire.tag(7, 1) + [2, 0, 0, 0, 0, 0, 0, 0]
            + Wire.data(6, [0, 0xFF])
        #expect(
            try Nothing(serialized: unknown).description
                == #"9: 5 8: 0x00000001 7: 0x0000000000000002 6: "\000\377""#)
    }

    @Test func `a message that is nested too deep is said to be`() {
        var tree = Tree()
        for _ in 0..<101 { tree = Tree(left: tree) }
        #expect(tree.description.contains("nested too deep"))
    }
}
