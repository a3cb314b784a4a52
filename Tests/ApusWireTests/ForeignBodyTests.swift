// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct ForeignBodyTests {
    private let status = Status(.unavailable, "HTTP status 503")

    private func body(_ pieces: [String]) -> (message: String, enough: Bool) {
        var body = ForeignBody(status)
        var enough = false
        for piece in pieces { Array(piece.utf8).withUnsafeBytes { enough = body.receive($0) } }
        return (body.described.message, enough)
    }

    @Test func `an answer without a body says what its head says`() {
        #expect(body([]).message == "HTTP status 503")
        #expect(body([""]).message == "HTTP status 503")
    }

    @Test func `the body is shown on one line, whatever its pieces`() {
        #expect(
            body(["<html>\r\n", "\u{1b}[31mno \"way\""]).message == #"HTTP status 503, body "<html>   [31mno \"way\"""#)
    }

    @Test func `of a long body the first 256 bytes are shown`() {
        let long = body([String(repeating: "a", count: 250), String(repeating: "b", count: 250)])
        #expect(long.enough)
        #expect(long.message.hasSuffix("a" + String(repeating: "b", count: 6) + "\""))
        #expect(!body([String(repeating: "a", count: 255)]).enough)
    }

    @Test func `bytes that are no text are replaced`() {
        let bytes: [UInt8] = [0xff, 0x41, 0xe2, 0x82]
        var body = ForeignBody(status)
        _ = bytes.withUnsafeBytes { body.receive($0) }
        #expect(body.described.message == "HTTP status 503, body \"\u{fffd}A\u{fffd}\"")
    }
}
