// SPDX-License-Identifier: Apache-2.0

@testable import ApusAdmin
import ApusCore
import Testing

@Suite struct PlainTextTests {
    @Test func `members are lines, and a list of objects is a table`() {
        let document = JSON.object([
            "missed": .number(2), "empty": .array([]),
            "loops": .array([
                .object(["lag": .number(0.5), "loop": .number(0)]), .object(["lag": .number(12), "loop": .number(1)]),
            ]),
        ])
        let expected = """
            empty   -
            missed  2

            loops
              lag  loop
              0.5  0
              12   1

            """
        #expect(PlainText.render(document) == expected)
    }

    @Test func `what would steer a terminal is shown as a mark`() {
        #expect(PlainText.render(.object(["a": .string("x\u{1B}[2Jy\nz")])) == "a  x\u{FFFD}[2Jy\u{FFFD}z\n")
        let rows = JSON.array([.object(["k\u{1B}": .string("v")])])
        #expect(PlainText.render(.object(["a\u{1B}b": .string("x")])) == "a\u{FFFD}b  x\n")
        #expect(!PlainText.render(.object(["rows": rows])).contains("\u{1B}"))
    }
}
