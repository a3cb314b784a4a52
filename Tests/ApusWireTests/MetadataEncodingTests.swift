// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct MetadataEncodingTests {
    private static func write(_ metadata: Metadata) throws(RPCError) -> Fields {
        var fields = Fields()
        try MetadataEncoding.write(metadata, to: &fields)
        return fields
    }

    private static func read(_ name: String, _ value: String) -> Metadata {
        var metadata = Metadata()
        name.onWire { name in value.onWire { MetadataEncoding.read(name: name, value: $0, into: &metadata) } }
        return metadata
    }

    @Test func `keys keep their order and their repetitions`() throws {
        var metadata: Metadata = ["b": "1", "a": "2", "B": "3"]
        metadata.add("c-bin", binary: [0, 255])
        #expect(try Self.write(metadata) == ["b": "1", "a": "2", "b": "3", "c-bin": "AP8"])
    }

    @Test(arguments: [
        "grpc-status", "grpc-timeout", "grpc-anything", ":path", "content-type", "te", "user-agent", "host",
        "connection",
        "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ])
    func `a user cannot set a reserved name`(_ name: String) throws {
        #expect(try Self.write([name: "x", "mine": "y"]) == ["mine": "y"])
    }

    @Test(arguments: ["grpc-retry-pushback-ms", "grpc-previous-rpc-attempts"])
    func `the names of retry pass`(_ name: String) throws {
        #expect(try Self.write([name: "1"]) == Fields(dictionaryLiteral: (name, "1")))
    }

    @Test func `the name of a trace passes`() throws {
        var metadata = Metadata()
        metadata.add("grpc-trace-bin", binary: [0, 1, 2])
        #expect(try Self.write(metadata) == ["grpc-trace-bin": "AAEC"])
    }

    @Test(arguments: ["", "with space", "umläut", "a/b", "a\n", "a\0", "a:b", "a\"", "@"])
    func `a name that HTTP cannot carry fails the call and not the connection`(_ name: String) {
        let error = #expect(throws: RPCError.self) { try Self.write([name: "x"]) }
        #expect(error?.code == .internal)
        #expect(error?.message == "illegal metadata: name \(name.debugDescription)")
        #expect(error?.progress == .notConnected)
    }

    @Test(arguments: ["a\tb", "a\r\nb", "\u{0}", "\u{7f}", "ä", "🐦", "x\u{1b}[0m"])
    func `a value that is no printable ASCII fails the call and not the connection`(_ value: String) {
        let error = #expect(throws: RPCError.self) { try Self.write(["key": value]) }
        #expect(error?.status == Status(.internal, "illegal metadata: value of \"key\""))
    }

    @Test func `bytes need a key that says so`() {
        var metadata = Metadata()
        metadata.add("plain", binary: [1])
        let error = #expect(throws: RPCError.self) { try Self.write(metadata) }
        #expect(error?.status == Status(.internal, "illegal metadata: binary value without -bin in \"plain\""))
    }

    @Test func `blanks at the ends are dropped`() throws {
        #expect(try Self.write(["a": "  x y ", "b": "   ", "c": ""]) == ["a": "x y", "b": "", "c": ""])
    }

    @Test func `a value from the wire stays as it is`() {
        #expect(Self.read("x-a", "1, 2") == ["x-a": "1, 2"])
        #expect(Self.read("x-a", "") == ["x-a": ""])
    }

    @Test(
        arguments: [
            ("AP8", [[0, 255]]), ("AP8=", [[0, 255]]), ("AQ,Ag==, Aw", [[1], [2], [3]]), ("", [[]]),
            ("AQ,", [[1], []]),
            ("AQ,*,Aw", [[1], [3]]), ("!", []),
        ] as [(String, [[UInt8]])])
    func `a binary field is split at commas before it is decoded, and what is no base64 dropped`(
        _ value: String, _ parts: [[UInt8]]
    ) {
        let metadata = Self.read("x-bin", value)
        #expect(metadata.binaryValues(of: "x-bin") == parts)
        #expect(metadata.entries.count == parts.count)
    }

    @Test func `what is no UTF-8 is repaired, not trusted`() {
        var metadata = Metadata()
        Array<UInt8>([0x61, 0xff]).withUnsafeBytes { value in
            "y".onWire { MetadataEncoding.read(name: $0, value: value, into: &metadata) }
        }
        #expect(metadata["y"] == "a\u{fffd}")
    }
}
