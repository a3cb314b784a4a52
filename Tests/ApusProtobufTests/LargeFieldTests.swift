// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// Strings and bytes that are most of their message go around libprotobuf-c, and nobody can tell.
struct LargeFieldTests {
    private let bytes = [UInt8](repeating: 7, count: 5000)
    private let text = String(repeating: "é", count: 2500)

    @Test func `other fields before and behind are read as well`() throws {
        let message = Scalars(aDouble: 1, aBool: true, aString: text, someBytes: [1], mood: .sad)
        #expect(try Scalars(serialized: message.serializedBytes()) == message)
        let sparse = Sparse(one: 1, at300: text, at70000: Sparse(one: 2), last: [3])
        #expect(try Sparse(serialized: sparse.serializedBytes()) == sparse)
    }

    @Test func `presence is kept`() throws {
        let message = Optionals(anInt32: 0, someBytes: bytes)
        #expect(try Optionals(serialized: message.serializedBytes()) == message)
    }

    @Test func `two large fields are both read`() throws {
        let message = Scalars(aString: text, someBytes: bytes)
        #expect(try Scalars(serialized: message.serializedBytes()) == message)
    }

    @Test func `of a field that comes twice the last counts, large or not`() throws {
        let large = Wire.data(15, bytes)
        #expect(try Scalars(serialized: large + Wire.data(15, [1])) == Scalars(someBytes: [1]))
        #expect(try Scalars(serialized: Wire.data(15, [1]) + large) == Scalars(someBytes: bytes))
        #expect(try Scalars(serialized: large + large) == Scalars(someBytes: bytes))
        #expect(try Scalars(serialized: large + Wire.data(15, [])) == Scalars())
    }

    @Test func `in messages inside of others, lists and oneofs too`() throws {
        let tree = Tree(left: Tree(label: text), more: [Tree(label: text)])
        #expect(try Tree(serialized: tree.serializedBytes()) == tree)
        #expect(try Lists(serialized: Wire.data(15, bytes)) == Lists(byteStrings: [bytes]))
        #expect(try Choices(serialized: Wire.data(6, bytes)) == Choices(firstChoice: .blob(bytes)))
    }

    @Test func `with fields that are set aside`() throws {
        let group = Wire.group(90, [])
        let message = try Scalars(serialized: group + Wire.data(15, bytes) + group)
        #expect(message.someBytes == bytes)
        #expect(message.unknownFields.bytes == group + group)
    }

    @Test func `bad UTF-8 in large text is refused`() throws {
        #expect(throws: RPCError.self) { try Scalars(serialized: Wire.data(14, bytes + [0xFF])) }
    }
}
