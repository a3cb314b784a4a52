// SPDX-License-Identifier: Apache-2.0

import Foundation
import ParrotSupport
import Testing

@testable import ApusCLI

struct RequestTextsTests {
    private func all(_ texts: RequestTexts) async throws -> [String] {
        var result: [String] = []
        while let text = try await texts.next() { result.append(String(decoding: text, as: UTF8.self)) }
        return result
    }

    @Test func `messages on the command line follow one another`() async throws {
        #expect(try await all(RequestTexts(#"{"a":1} {"b":2}"#)) == [#"{"a":1}"#, #"{"b":2}"#])
    }

    @Test func `a file holds messages, too`() async throws {
        let scratch = try Scratch()
        let file = try scratch.write("{}\n{\"a\": [\n1]}\n", to: "requests.json")
        #expect(try await all(RequestTexts("@" + file)) == ["{}", "{\"a\": [\n1]}"])
        #expect(throws: Mistake.self) { try RequestTexts("@/none.json") }
    }

    @Test func `a message from a pipe is there before the next one is written`() async throws {
        let pipe = Pipe()
        let texts = try RequestTexts(text: [], input: pipe.fileHandleForReading)
        try pipe.fileHandleForWriting.write(contentsOf: Data("{\"a\":1}{\"b\"".utf8))
        #expect(try await texts.next() == Array("{\"a\":1}".utf8))
        try pipe.fileHandleForWriting.write(contentsOf: Data(":2}".utf8))
        #expect(try await texts.next() == Array("{\"b\":2}".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try await texts.next() == nil)
    }

    @Test func `nothing at all is the empty message, and two are too many for one`() async throws {
        #expect(try await RequestTexts("").only() == Array("{}".utf8))
        await #expect(throws: Mistake.self) { try await RequestTexts("{}{}").only() }
        #expect(throws: Mistake.self) { try RequestTexts("{") }
    }
}
