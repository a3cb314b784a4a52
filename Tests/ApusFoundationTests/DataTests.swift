// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusFoundation
import ApusProtobuf
import Foundation
import Testing

/// Messages from and to Foundation's bytes.
struct DataTests {
    @Test func `a message's binary form as data, and back`() throws {
        let message = ProtobufTimestamp(seconds: 300, nanos: 1)
        let data = try message.serializedData()
        #expect(data == Data([8, 0xAC, 2, 16, 1]))
        #expect(try ProtobufTimestamp(serialized: data) == message)
        // A slice of data does not begin at 0.
        let slice = (Data([0, 0]) + data).dropFirst(2)
        #expect(try ProtobufTimestamp(serialized: slice) == message)
        #expect(try ProtobufTimestamp(serialized: Data()) == ProtobufTimestamp())
    }

    @Test func `data that is no such message is refused`() throws {
        let error = try #require(throws: RPCError.self) { try ProtobufTimestamp(serialized: Data([8])) }
        #expect(error.code == .internal && error.message.contains("google.protobuf.Timestamp"))
    }

    @Test func `JSON as data, and back`() throws {
        let message = ProtobufStruct(fields: ["é": 1])
        let data = try message.jsonData()
        #expect(try String(decoding: data, as: UTF8.self) == message.jsonString())
        #expect(try ProtobufStruct(json: data) == message)
        let error = try #require(throws: RPCError.self) { try ProtobufStruct(json: Data([0x22, 0xFF, 0x22])) }
        #expect(error.code == .invalidArgument)
    }

    @Test func `bytes of a call as data, and back`() throws {
        let message = try MessageBytes(Data([1, 2, 3]))
        #expect(message.bytes == [1, 2, 3])
        #expect(Data(message) == Data([1, 2, 3]))
        #expect(try MessageBytes(Data()).isEmpty && Data(MessageBytes([])).isEmpty)
    }

    @Test func `what reads contiguous bytes reads a message in place`() throws {
        func address(_ bytes: some ContiguousBytes) -> UnsafeRawPointer? { bytes.withUnsafeBytes { $0.baseAddress } }
        let message = MessageBytes([1, 2, 3])
        #expect(address(message) == message.withUnsafeBytes { $0.baseAddress })
    }
}
