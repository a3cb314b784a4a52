// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct JSONSplitterTests {
    /// All values of a text that comes in pieces of this size.
    private func split(_ text: String, by size: Int) throws -> [String] {
        var splitter = JSONSplitter()
        var values: [[UInt8]] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            values += try splitter.add(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        if let last = try splitter.finish() { values.append(last) }
        return values.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `values are cut where they end, however they come`(size: Int) throws {
        let text = " {\"a\": \"}\\\"{\"}{\"b\":[1, {\"c\":2}]}\n[ ]\t\"x y\"\"z\" 12 true{} null"
        #expect(
            try split(text, by: size) == [
                "{\"a\": \"}\\\"{\"}", "{\"b\":[1, {\"c\":2}]}", "[ ]", "\"x y\"", "\"z\"", "12", "true", "{}", "null",
            ])
    }

    @Test func `a message is whole at its last bracket, before anything follows`() throws {
        var splitter = JSONSplitter()
        #expect(try splitter.add("{\"a\":1".utf8).isEmpty)
        #expect(try splitter.add("}".utf8) == [Array("{\"a\":1}".utf8)])
        #expect(try splitter.finish() == nil)
    }

    @Test(arguments: ["{", "[1", "\"abc", "{\"a\": \"}"])
    func `a value that is not finished is a mistake`(text: String) {
        #expect(throws: Mistake.self) { try split(text, by: 3) }
    }

    @Test func `blanks alone are no value`() throws { #expect(try split(" \r\n\t ", by: 2) == []) }
}
