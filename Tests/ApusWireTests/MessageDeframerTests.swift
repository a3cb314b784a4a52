// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct MessageDeframerTests {
    private static func frame(_ message: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        [flag] + withUnsafeBytes(of: UInt32(message.count).bigEndian) { Array($0) } + message
    }

    /// Feeds the pieces one after the other and collects the messages.
    private static func read(_ pieces: [ArraySlice<UInt8>], limit: Int = 1000) throws -> [[UInt8]] {
        var deframer = MessageDeframer(limit: limit)
        var messages: [[UInt8]] = []
        for piece in pieces {
            try Array(piece).withUnsafeBytes { bytes in
                var rest = bytes
                while let message = try deframer.next(&rest) { messages.append(message.bytes) }
                #expect(rest.isEmpty)
            }
        }
        let isInside = deframer.isInsideMessage
        #expect(!isInside)
        return messages
    }

    private static let messages: [[UInt8]] = [[1, 2, 3], [], [4], [], [], Array(repeating: 9, count: 20)]
    private static let bytes = messages.flatMap { frame($0) }

    @Test func `messages in one piece come out in order, empty ones too`() throws {
        #expect(try Self.read([Self.bytes[...]]) == Self.messages)
    }

    @Test func `a cut at any byte changes nothing`() throws {
        for cut in 0...Self.bytes.count {
            #expect(try Self.read([Self.bytes[..<cut], Self.bytes[cut...]]) == Self.messages, "cut at \(cut)")
        }
    }

    @Test func `one byte at a time changes nothing`() throws {
        #expect(try Self.read(Self.bytes.indices.map { Self.bytes[$0...$0] }) == Self.messages)
    }

    @Test func `random pieces change nothing`() throws {
        let random = SplitMixRandom(seed: 3)
        for _ in 0..<500 {
            var pieces: [ArraySlice<UInt8>] = []
            var rest = Self.bytes[...]
            while !rest.isEmpty {
                let size = random.index(below: 9)
                pieces.append(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(try Self.read(pieces) == Self.messages)
        }
    }

    @Test func `it knows whether the bytes end inside a message`() throws {
        let frame = Self.frame([7, 7])
        for count in 1..<frame.count {
            var deframer = MessageDeframer(limit: 10)
            let message = try Array(frame.prefix(count)).withUnsafeBytes { bytes in
                var rest = bytes
                return try deframer.next(&rest)
            }
            let isInside = deframer.isInsideMessage
            #expect(message == nil && isInside, "after \(count) bytes")
        }
    }

    @Test func `a message as large as the limit passes`() throws {
        let message = [UInt8](repeating: 1, count: 1000)
        #expect(try Self.read([Self.frame(message)[...]], limit: 1000) == [message])
    }

    @Test(
        arguments: [
            ([0, 0, 0, 3, 233], Status(.resourceExhausted, "a message of 1001 bytes is above the limit of 1000")),
            (
                [0, 255, 255, 255, 255],
                Status(.resourceExhausted, "a message of 4294967295 bytes is above the limit of 1000")
            ),
            ([1, 0, 0, 0, 0], Status(.internal, "a compressed message came without grpc-encoding")),
            ([2, 0, 0, 0, 0], Status(.internal, "bad message flag")),
            ([255, 255, 255, 255, 255], Status(.internal, "bad message flag")),
        ] as [([UInt8], Status)])
    func `a bad prefix is refused before a byte of the message is there`(_ prefix: [UInt8], _ status: Status) {
        let error = #expect(throws: RPCError.self) { try Self.read([prefix[...]]) }
        #expect(error?.status == status)
    }
}
