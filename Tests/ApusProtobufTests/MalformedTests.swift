// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// Bytes that are no such message: refused with INTERNAL and a line that says where.
struct MalformedTests {
    private func refusal<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws -> RPCError {
        try #require(throws: RPCError.self) { try M(serialized: bytes) }
    }

    private func expect<M: ProtobufMessage>(_ type: M.Type, _ bytes: [UInt8], _ message: String) throws {
        let error = try refusal(type, bytes)
        #expect(error.code == .internal)
        #expect(error.message == message)
        #expect(try ProtocOracle.decode(M.schema.name, bytes) == nil)
    }

    @Test func `nesting beyond 100 levels is refused, 100 are read`() throws {
        let hundred = Wire.nested(100, in: 2)
        #expect(try Tree(serialized: Tree(serialized: hundred).serializedBytes()) == Tree(serialized: hundred))
        #expect(try ProtocOracle.decode("test.everything.Tree", hundred) != nil)
        let error = try refusal(Tree.self, Wire.nested(101, in: 2))
        #expect(error.code == .internal)
        #expect(
            error.message == "malformed test.everything.Tree.left.left.left.left.left.left.left.left…: "
                + "messages are nested too deep, at byte 239")
        #expect(try ProtocOracle.decode("test.everything.Tree", Wire.nested(101, in: 2)) == nil)
    }

    @Test func `a million levels do not exhaust the stack`() throws {
        // Lengths need not be right for that: each level claims what is left.
        var bytes: [UInt8] = []
        for level in 0..<100_000 { bytes += Wire.tag(2, 2) + Wire.varint(UInt64((100_000 - level) * 6)) }
        #expect(try refusal(Tree.self, bytes).code == .internal)
        let groups = [UInt8](repeating: 0x7B, count: 1_000_000)
        #expect(try refusal(Tree.self, groups).message.contains("nested too deep"))
    }

    @Test func `field number 0, also by an overlong tag, and numbers above 2^29-1 are refused`() throws {
        let reason = "a field tag is malformed or has a number outside 1...536870911, at byte 0"
        try expect(Nothing.self, [0x00, 0], "malformed test.everything.Nothing: \(reason)")
        try expect(Nothing.self, [0x80, 0x00, 0], "malformed test.everything.Nothing: \(reason)")
        try expect(Nothing.self, Wire.number(1 << 29, 0), "malformed test.everything.Nothing: \(reason)")
        try expect(
            Nothing.self, [0x88, 0x80, 0x80, 0x80, 0x80, 0, 0], "malformed test.everything.Nothing: \(reason)")
    }

    @Test func `an overlong tag of a known field is read`() throws {
        #expect(try Sparse(serialized: [0x88, 0x80, 0x00, 5]) == Sparse(one: 5))
    }

    @Test func `text that is not UTF-8 is refused with its path`() throws {
        let item = Wire.data(6, Wire.text(1, "k") + Wire.data(2, Wire.data(14, [0x61, 0xC0, 0xAF])))
        try expect(
            Maps.self, item,
            "malformed test.everything.Maps.messages.value.a_string: a string is not UTF-8, at byte 9")
    }

    @Test(arguments: [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
        [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0x41, 0xE2, 0x28, 0xA1], [0xFF],
    ])
    func `each kind of bad UTF-8 is refused at every distance from the end`(bad: [UInt8]) throws {
        for padding in 0..<10 {
            let text = [UInt8](repeating: 0x61, count: padding) + bad
            #expect(try refusal(Scalars.self, Wire.data(14, text)).message.contains("not UTF-8"))
        }
    }

    @Test func `good UTF-8 at its edges is read`() throws {
        for text in ["\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}", "", "12345678é"] {
            #expect(try Scalars(serialized: Wire.text(14, text)).aString == text)
        }
    }

    @Test func `lengths that go past their message are refused`() throws {
        try expect(
            Outer.self, Wire.data(1, [0x12, 5, 0x0A]),
            "malformed test.everything.Outer.inner: a length goes past the end of its message, at byte 3")
        let huge = Wire.tag(15, 2) + [0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(try refusal(Scalars.self, huge).message.contains("a length goes past"))
    }

    @Test func `numbers of more than ten bytes, wrong groups and wire types are refused`() throws {
        let long = [UInt8](repeating: 0xFF, count: 10) + [0x01]
        #expect(try refusal(Scalars.self, Wire.tag(4, 0) + long).message.contains("more than ten bytes"))
        #expect(try refusal(Lists.self, Wire.data(3, [0x80])).message.contains("end in the middle"))
        #expect(try refusal(Lists.self, Wire.data(9, [1, 2, 3])).message.contains("does not divide"))
        #expect(try refusal(Scalars.self, Wire.tag(3, 4)).message.contains("a group does not end"))
        #expect(try refusal(Scalars.self, Wire.tag(99, 3) + Wire.tag(98, 4)).message.contains("a group does not end"))
        #expect(try refusal(Scalars.self, Wire.tag(99, 3)).message.contains("a group does not end"))
        #expect(try refusal(Scalars.self, Wire.tag(3, 6)).message.contains("wire type that does not exist"))
        #expect(try refusal(Scalars.self, Wire.tag(99, 7)).message.contains("wire type that does not exist"))
    }

    @Test func `a message that needs more memory than its budget is refused with RESOURCE_EXHAUSTED`() throws {
        let empty = Wire.data(17, [])
        let many = Array(repeatElement(empty, count: 1_000_000).joined())
        let error = try refusal(Lists.self, many)
        #expect(error.code == .resourceExhausted)
        #expect(error.message.contains("needs more than"))
        #expect(try Scalars(serialized: Samples.scalars.serializedBytes()) == Samples.scalars)
    }
}
