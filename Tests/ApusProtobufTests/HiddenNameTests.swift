// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

/// Types inside of messages that have the names of types outside: each field has the type that its .proto file means.
struct HiddenNameTests {
    @Test func `fields of hidden types and of those that hide them`() throws {
        let tree = HiddenTree(
            outside: HiddenLeaf(outside: 1), inside: .init(inside: "a"),
            itself: HiddenTree(insideState: .inside),
            tree: .init(around: HiddenTree(outside: HiddenLeaf(outside: 2)), deeper: .init(beside: .init(inside: "b"))),
            many: [HiddenLeaf(outside: 3)], byName: ["k": HiddenLeaf(outside: 4)], outsideState: .outside)
        #expect(try HiddenTree(serialized: tree.serializedBytes()) == tree)
        #expect(try HiddenTree(json: tree.jsonString()) == tree)
        #expect(type(of: tree.outside) == HiddenLeaf?.self && type(of: tree.inside) == HiddenTree.HiddenLeaf?.self)
        #expect(HiddenTree.HiddenTree.schema.fields[0].type.schema === HiddenTree.schema)
        #expect(HiddenTree.HiddenTree.schema.fields[1].type.schema === HiddenTree.HiddenTree.schema)
    }

    @Test func `a oneof named like its message, and a field named like nothing`() throws {
        let choice = HiddenChoice(hiddenChoice: .inner(HiddenChoice(hiddenChoice: .text("t"), __: 5)))
        #expect(try HiddenChoice(serialized: choice.serializedBytes()) == choice)
        #expect(choice.description.contains("_: 5"))
    }
}
