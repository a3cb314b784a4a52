// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusCLI

struct HeaderArgumentTests {
    @Test func `what is before the first colon is the key, without blanks and in lower case`() throws {
        let header = try #require(HeaderArgument(argument: "Authorization:  Bearer a:b "))
        #expect(header.key == "authorization")
        #expect(header.value == .ascii("Bearer a:b"))
    }

    @Test(arguments: ["x-trace-bin: AQID", "x-trace-bin:AQID"])
    func `values of binary keys are base64`(text: String) throws {
        #expect(try #require(HeaderArgument(argument: text)).value == .binary([1, 2, 3]))
    }

    @Test func `padding may be missing`() throws {
        #expect(try #require(HeaderArgument(argument: "a-bin: AQ")).value == .binary([1]))
        #expect(try #require(HeaderArgument(argument: "a-bin: AQ==")).value == .binary([1]))
    }

    @Test(arguments: ["", "key", ": value", "a b: c", "ä: c", "a: ü", "a: \u{7}", "a-bin: ***"])
    func `what cannot be sent is refused`(text: String) { #expect(HeaderArgument(argument: text) == nil) }

    @Test func `metadata prints as it is given`() throws {
        let texts = ["a: 1", "a: 2", "b-bin: AQID"]
        let metadata = Metadata(try texts.map { try #require(HeaderArgument(argument: $0)) })
        #expect(metadata.lines == texts)
    }
}
