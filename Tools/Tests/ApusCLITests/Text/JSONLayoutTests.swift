// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct JSONLayoutTests {
    @Test(arguments: [
        ("{}", "{}"), ("[]", "[]"), ("1", "1"), ("\"a,b:{\\\"[\"", "\"a,b:{\\\"[\""),
        ("{\"a\":1}", "{\n  \"a\": 1\n}"),
        ("{\"a\":{},\"b\":[]}", "{\n  \"a\": {},\n  \"b\": []\n}"),
        ("[1,[2,3]]", "[\n  1,\n  [\n    2,\n    3\n  ]\n]"),
        ("{\"ä\":\"\\\\\"}", "{\n  \"ä\": \"\\\\\"\n}"),
    ])
    func `each element has a line, and texts stay as they are`(compact: String, lines: String) {
        #expect(JSONLayout.indented(compact) == lines)
    }

    @Test func `brackets that nobody opened trap nowhere`() {
        #expect(JSONLayout.indented("]}") == "\n]\n}")
    }
}
