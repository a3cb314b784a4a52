// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// Handlers whose metadata HTTP/2 or the client cannot carry.
@Suite struct ResponseMetadataTests {
    private typealias Odd = OddService.Methods

    private static let aboveOurs = "RESOURCE_EXHAUSTED: the response's metadata is above 65536 bytes"
    private static let aboveTheirs = "RESOURCE_EXHAUSTED: the response's metadata is above the limit"

    @Test(arguments: Medium.allCases)
    func `initial metadata that HTTP cannot carry fails its call alone`(_ medium: Medium) async throws {
        let pair = try Pair(medium, serving: [OddService()])
        for text in ["a\tb", "caf\u{e9}", "\u{fffd}"] {
            let error = await #expect(throws: RPCError.self) {
                let stream = try await pair.channel.serverStreaming(Odd.illegalHead, MessageBytes(text))
                while try await stream.next() != nil {}
            }
            #expect(error?.status == Status(.internal, "illegal metadata: value of \"x-echo\""))
        }
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test(arguments: [(20_000, aboveTheirs), (100_000, aboveOurs)])
    func `initial metadata that is too large fails the call and stops its handler`(
        _ size: Int, _ expected: String
    ) async throws {
        let odd = OddService()
        let pair = try Pair(.tcp, serving: [odd])
        let error = await #expect(throws: RPCError.self) {
            let stream = try await pair.channel.serverStreaming(Odd.bigHead, MessageBytes("\(size)"))
            while try await stream.next() != nil {}
        }
        #expect(error.map { "\($0.status)" } == expected)
        try await odd.stopped.wait()
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test(arguments: [("100000", aboveOurs), ("20000", aboveTheirs)])
    func `trailers that are too large fail the call`(_ size: String, _ expected: String) async throws {
        let pair = try Pair(.tcp, serving: [OddService()])
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(Odd.bigTrailers, MessageBytes(size))
        }
        #expect(error.map { "\($0.status)" } == expected)
        await pair.close()
    }

    @Test(arguments: [("70000", aboveOurs), ("17000", aboveTheirs)])
    func `a status message that is too long loses its text and still ends the call`(
        _ size: String, _ expected: String
    ) async throws {
        let pair = try Pair(.tcp, serving: [OddService()])
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(Odd.longStory, MessageBytes(size))
        }
        #expect(error.map { "\($0.status)" } == expected)
        await pair.close()
    }

    @Test func `sixteen kibibytes of metadata pass both ways`() async throws {
        let pair = try Pair(.tcp)
        let metadata: Metadata = ["x-big": String(repeating: "m", count: 15_500)]
        let answer = try await pair.channel.unary(
            EchoService.Methods.metadata, MessageBytes(""), options: CallOptions(metadata: metadata))
        #expect(answer.metadata == metadata)
        await pair.close()
    }
}
