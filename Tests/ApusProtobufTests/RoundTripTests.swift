// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

/// Every construct of proto3, both ways, with protoc at the other end.
struct RoundTripTests {
    /// What protoc writes is read as the message, and what is written of the message reads the same to protoc.
    private func exchange<M: ProtobufMessage>(_ message: M, _ text: String) throws {
        let theirs = try ProtocOracle.encode(M.schema.name, text)
        #expect(try M(serialized: theirs) == message)
        let ours = try message.serializedBytes()
        #expect(try M(serialized: ours) == message)
        #expect(try ProtocOracle.decode(M.schema.name, ours) == ProtocOracle.decode(M.schema.name, theirs))
    }

    @Test func `scalars of every type`() throws {
        try exchange(Samples.scalars, Samples.scalarsText)
        try exchange(Scalars(), "")
    }

    @Test func `optional fields keep their presence`() throws {
        try exchange(Samples.optionals, Samples.optionalsText)
        try exchange(Samples.emptyButPresent, Samples.emptyButPresentText)
        try exchange(Optionals(), "")
    }

    @Test func `lists, packed and unpacked`() throws { try exchange(Samples.lists, Samples.listsText) }

    @Test func `maps`() throws { try exchange(Samples.maps, Samples.mapsText) }

    @Test func `every member of a oneof`() throws {
        for (message, text) in Samples.choices { try exchange(message, text) }
    }

    @Test func `recursive messages`() throws {
        try exchange(Samples.tree, Samples.treeText)
        try exchange(Ping(pong: Pong(ping: Ping(count: 2)), count: 1), "pong { ping { count: 2 } } count: 1")
    }

    @Test func `types of other files and well-known types`() throws {
        try exchange(Samples.imports, Samples.importsText)
    }

    @Test func `nested types and names that Swift reserves`() throws {
        try exchange(Samples.outer, Samples.outerText)
        try exchange(Samples.names, Samples.namesText)
        try exchange(StatusMessage(error: .unrecognized_), "error: ERROR_UNRECOGNIZED")
        try exchange(Nothing(), "")
    }

    @Test func `field numbers up to the largest`() throws { try exchange(Samples.sparse, Samples.sparseText) }

    @Test func `a list field accepts packed and unpacked elements, mixed`() throws {
        let mixed: [UInt8] = [0x18, 1, 0x1A, 2, 2, 3, 0x18, 4, 0x92, 0x01, 2, 5, 6]
        let lists = try Lists(serialized: mixed)
        #expect(lists == Lists(int32s: [1, 2, 3, 4], unpacked: [5, 6]))
    }

    @Test func `of a map's entries with one key the last counts, and absent parts have defaults`() throws {
        let bytes: [UInt8] = [
            0x0A, 6, 0x0A, 1, 0x6B, 0x12, 1, 0x76, 0x0A, 6, 0x0A, 1, 0x6B, 0x12, 1, 0x77, 0x0A, 0, 0x32, 0,
        ]
        let maps = try Maps(serialized: bytes)
        #expect(maps == Maps(names: ["k": "w", "": ""], messages: ["": Scalars()]))
    }

    @Test(arguments: [1023, 1024, 5000, 300_000])
    func `large strings and bytes are packed from where they are`(size: Int) throws {
        let text = String(repeating: "x", count: size)
        let bytes = [UInt8](repeating: 7, count: size)
        let lists = Lists(strings: [text, "", text], byteStrings: Array(repeating: bytes, count: 50))
        #expect(try Lists(serialized: lists.serializedBytes()) == lists)
        let choice = Choices(firstChoice: .text(text), after: text)
        #expect(try Choices(serialized: choice.serializedBytes()) == choice)
    }
}
