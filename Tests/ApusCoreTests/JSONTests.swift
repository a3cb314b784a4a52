// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

struct JSONTests {
    private func read(_ text: String) throws(JSONError) -> JSON { try JSONReader.read(Array(text.utf8)) }

    @Test(arguments: [
        ("null", JSON.null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .number(0)),
        ("-0.5e2", .number(-50)),
        ("12.25E+1", .number(122.5)), ("\"\"", .string("")), ("[]", .array([])), ("{}", .object([:])),
        ("[1,[2],{\"a\":[null]}]", .array([.number(1), .array([.number(2)]), .object(["a": .array([.null])])])),
        ("\t{ \"a\" : 1 ,\n\"b\":\"c\" }\r\n", .object(["a": .number(1), "b": .string("c")])),
        (#""\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\uDE00é""#, .string("\"\\/\u{8}\u{c}\n\r\té€😀é")),
    ])
    func `JSON is read as RFC 8259 says`(text: String, value: JSON) throws {
        #expect(try read(text) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "1.", ".5", "1e", "+1", "0x1", "1e999", "NaN", "\"", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"", "\"\n\"", "[",
        "[1", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}", "1 2", "{} x", "'a'", "// c\n1", "\"\\", "\"\\u", "\u{feff}1",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try read(text) }
    }

    @Test func `a string that is not UTF-8 is refused`() {
        #expect(throws: JSONError.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONReader.read([0x22, 0xC0, 0x80, 0x22]) }
    }

    @Test func `nesting has a limit, which keeps the stack`() {
        #expect(throws: Never.self) { try read(String(repeating: "[", count: 16) + String(repeating: "]", count: 16)) }
        let error = #expect(throws: JSONError.self) { try read(String(repeating: "[", count: 100_000)) }
        #expect(error?.description == "values are nested too deeply at byte 16")
    }

    @Test func `what is written is read again as the same value`() throws {
        let random = SplitMixRandom(seed: 17)
        for _ in 0..<2000 {
            let value = Self.value(random, depth: 0)
            #expect(try read(value.text) == value)
        }
    }

    @Test(
        arguments: [
            ([], 0), (["a"], 6), (["b"], 24), (["b", "1"], 28), (["b", "1", "c"], 34), (["b", "2"], nil), (["x"], nil),
        ] as [([String], Int?)])
    func `a value's place is found by its path`(path: [String], offset: Int?) {
        #expect(JSONReader.offset(of: path, in: Array(#"{"a": {"b": "no"}, "b": [1, {"c": 2}]}"#.utf8)) == offset)
    }

    @Test func `random bytes never trap`() {
        let random = SplitMixRandom(seed: 23)
        let alphabet = Array("{}[]\",:\\u0123eE+-.truefalsn \n\u{7f}é".utf8)
        var refused = 0
        for _ in 0..<20_000 {
            let bytes = (0..<random.index(below: 24)).map { _ in alphabet[random.index(below: alphabet.count)] }
            if (try? JSONReader.read(bytes)) == nil { refused += 1 }
        }
        #expect(refused > 10_000)
    }

    private static func value(_ random: SplitMixRandom, depth: Int) -> JSON {
        switch random.index(below: depth < 4 ? 6 : 4) {
        case 0: .null
        case 1: .bool(random.index(below: 2) == 0)
        case 2: .number(Double(Int64(bitPattern: random.next()) >> 20) / 8)
        case 3: .string(text(random))
        case 4: .array((0..<random.index(below: 4)).map { _ in value(random, depth: depth + 1) })
        default:
            .object(
                Dictionary(
                    (0..<random.index(below: 4)).map { _ in (text(random), value(random, depth: depth + 1)) },
                    uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func text(_ random: SplitMixRandom) -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "\"", "\\", "\n", "\0", "\u{1F}", "\u{7F}", "é", "€", "😀", "/", "\u{FFFF}",
        ]
        var text = ""
        for _ in 0..<random.index(below: 9) { text.unicodeScalars.append(scalars[random.index(below: scalars.count)]) }
        return text
    }
}
