// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// The JSON mapping of protobuf's language guide, both ways.
struct JSONTests {
    private func expect<M: ProtobufMessage>(
        _ message: M, _ json: String, encoding: JSONEncodingOptions = .init(), decoding: JSONDecodingOptions = .init()
    ) throws {
        #expect(try message.jsonString(encoding) == json)
        #expect(try M(json: json, decoding) == message)
    }

    private func refusal<M: ProtobufMessage>(_: M.Type, _ json: String) throws -> String {
        let error = try #require(throws: RPCError.self, "\(json)") { try M(json: json) }
        #expect(error.code == .invalidArgument)
        return error.message
    }

    @Test func `scalars of every type`() throws {
        try expect(
            Samples.scalars,
            #"{"aDouble":-0.0,"aFloat":1.5,"anInt32":-1,"anInt64":"-9223372036854775808","aUint32":4294967295,"#
                + #""aUint64":"18446744073709551615","aSint32":-64,"aSint64":"-9223372036854775808","aFixed32":7,"#
                + #""aFixed64":"18446744073709551615","anSfixed32":-2147483648,"anSfixed64":"-2","aBool":true,"#
                + #""aString":"naïve\u0000🐦","someBytes":"AP8K","mood":"MOOD_SAD"}"#)
        try expect(Scalars(), "{}")
    }

    @Test func `presence, lists, maps, oneofs and messages inside`() throws {
        try expect(
            Optionals(anInt32: 0, aString: "", mood: .unknown), #"{"anInt32":0,"aString":"","mood":"MOOD_UNKNOWN"}"#)
        try expect(
            Lists(
                doubles: [1, 0.1, 1e300], bools: [true], strings: ["", "x"], scalars: [Scalars(), Scalars(anInt32: 1)]),
            #"{"doubles":[1,0.1,1e+300],"bools":[true],"strings":["","x"],"scalars":[{},{"anInt32":1}]}"#)
        try expect(
            Maps(names: ["b": "2", "a": "1"], numbers: [-1: 5], truths: [true: 0, false: 1]),
            #"{"names":{"a":"1","b":"2"},"numbers":{"-1":"5"},"truths":{"false":1,"true":0}}"#)
        try expect(Choices(firstChoice: .number(0)), #"{"number":0}"#)
        try expect(Choices(firstChoice: .nothing(.init())), #"{"nothing":{}}"#)
        try expect(Tree(left: Tree(label: "x")), #"{"left":{"label":"x"}}"#)
    }

    @Test func `numbers that JSON does not have are text`() throws {
        try expect(Scalars(aDouble: .infinity, aFloat: -.infinity), #"{"aDouble":"Infinity","aFloat":"-Infinity"}"#)
        #expect(try Scalars(aDouble: .nan).jsonString() == #"{"aDouble":"NaN"}"#)
        #expect(try Scalars(json: #"{"aFloat":"NaN"}"#).aFloat.isNaN)
    }

    @Test(arguments: [
        ("1", 1), ("-1", -1), ("1.0", 1), ("1e3", 1000), ("12.5e1", 125), ("2147483647.000", .max), ("\"7\"", 7),
        ("\"-7e0\"", -7), ("-0", 0), ("1000e-3", 1), ("0e999999999999", 0),
    ])
    func `whole numbers in all their forms`(text: String, number: Int32) throws {
        #expect(try Scalars(json: "{\"anInt32\":\(text)}").anInt32 == number)
    }

    @Test(arguments: [
        "1.5", "2147483648", "01", "+1", ".5", "5.", "1e", "\" 1\"", "\"1 \"", "\"\"", "true", "[]", "1e99999999",
        "1e-9223372036854775808", "1e9223372036854775807", "1e-99999999999999999999",
        "\"0x1\"", "0.00000001", "- 1", "null1",
    ])
    func `what is no 32-bit whole number is refused`(text: String) throws {
        #expect(try !refusal(Scalars.self, "{\"anInt32\":\(text)}").isEmpty)
    }

    @Test func `64 bits are exact`() throws {
        let scalars = try Scalars(json: #"{"anInt64":9223372036854775807,"aUint64":"18446744073709551615"}"#)
        #expect(scalars.anInt64 == .max && scalars.aUint64 == .max)
        #expect(try refusal(Scalars.self, #"{"anInt64":9223372036854775808}"#).contains("whole number"))
        #expect(try refusal(Scalars.self, #"{"aUint64":-1}"#).contains("whole number"))
        #expect(try refusal(Scalars.self, #"{"aFloat":3.5e38}"#).contains("in range"))
        #expect(try refusal(Scalars.self, #"{"aDouble":"infinity"}"#).contains("in range"))
    }

    @Test func `names of the .proto file are read, and written on request`() throws {
        #expect(try Scalars(json: #"{"an_int32":1,"aBool":true}"#) == Scalars(anInt32: 1, aBool: true))
        var options = JSONEncodingOptions()
        options.preservesFieldNames = true
        try expect(Scalars(anInt32: 1), #"{"an_int32":1}"#, encoding: options)
        try expect(LegacyJSONNames(someField: 1, other: 2), #"{"someField":1,"@strange \"one\"":2}"#)
    }

    @Test func `defaults and numbers of enums on request`() throws {
        var options = JSONEncodingOptions()
        options.writesDefaults = true
        try expect(Ping(), #"{"count":0}"#, encoding: options)
        try expect(Tree(), #"{"label":"","more":[],"named":{}}"#, encoding: options)
        options.writesEnumsAsNumbers = true
        #expect(try Scalars(mood: .sad).jsonString(options).hasSuffix(#""mood":2}"#))
    }

    @Test func `enums by name, alias or number`() throws {
        for text in ["\"MOOD_HAPPY\"", "\"MOOD_GLAD\"", "1", "1.0"] {
            #expect(try Scalars(json: "{\"mood\":\(text)}").mood == .happy)
        }
        try expect(Scalars(mood: .unrecognized(99)), #"{"mood":99}"#)
        #expect(
            try refusal(Scalars.self, #"{"mood":"BAD"}"#)
                == "JSON of test.everything.Scalars.mood: test.everything.Mood has no value 'BAD'")
    }

    @Test func `base64 of both alphabets, padded or not`() throws {
        for text in ["-_8=", "+/8=", "-_8", "+/8"] {
            #expect(try Scalars(json: "{\"someBytes\":\"\(text)\"}").someBytes == [0xFB, 0xFF])
        }
        #expect(try refusal(Scalars.self, #"{"someBytes":"a"}"#).contains("base64"))
        #expect(try refusal(Scalars.self, #"{"someBytes":"a!=="}"#).contains("base64"))
    }

    @Test func `null is absence, except for what it is a value of`() throws {
        #expect(try Scalars(json: #"{"anInt32":null,"mood":null}"#) == Scalars())
        #expect(try Lists(json: #"{"int32s":null}"#) == Lists())
        #expect(try Choices(json: #"{"number":null,"text":"x"}"#) == Choices(firstChoice: .text("x")))
        #expect(try ProtobufValue(json: "null") == nil)
        #expect(try refusal(Lists.self, #"{"int32s":[null]}"#).contains("whole number"))
        #expect(try refusal(Maps.self, #"{"names":{"a":null}}"#).contains("text"))
    }

    @Test func `what comes twice, or is unknown, is refused with its place`() throws {
        #expect(try refusal(Scalars.self, #"{"anInt32":1,"an_int32":2}"#).hasSuffix("an_int32: the field comes twice"))
        #expect(try refusal(Choices.self, #"{"text":"a","number":1}"#).contains("oneof"))
        #expect(try refusal(Maps.self, #"{"numbers":{"1":"1","1":"2"}}"#).contains("key comes twice"))
        #expect(
            try refusal(Tree.self, #"{"left":{"more":[{},{"what":1}]}}"#)
                == "JSON of test.everything.Tree.left.more.1.what: test.everything.Tree has no such field")
    }

    @Test func `unknown names are ignored on request, unknown names of enums too`() throws {
        var options = JSONDecodingOptions()
        options.ignoresUnknownFields = true
        #expect(try Tree(json: #"{"what":[{"a":null}],"label":"x"}"#, options) == Tree(label: "x"))
        #expect(try Lists(json: #"{"moods":["MOOD_SAD","BAD"]}"#, options).moods == [.sad])
        #expect(try Scalars(json: #"{"mood":"BAD"}"#, options) == Scalars())
    }

    @Test(arguments: [
        "", "{", "{}}", "[]", "{\"a\"}", "{,}", "{\"label\":\"x\",}", "{'label':1}", "{\"label\":\"\u{1}\"}",
        "{\"label\":\"\\x\"}",
        "{\"label\":\"\\ud83d\"}", "{\"label\":\"\\udc26\"}", "{\"label\":\"\\ud83dx\"}", "{\"label\":\"\\u12g4\"}",
        "{\"label\":\"",
        "{\"label\":\"\\", "{\"label\":\"\\u1", "{\"label\" \"x\"}", "nul", "{\"label\":tru}", "{\"more\":[{},]}",
        "\"x\"", "{} {}",
    ])
    func `text that is no JSON, or no object, is refused`(text: String) throws {
        #expect(try refusal(Tree.self, text).hasPrefix("JSON of test.everything.Tree"))
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        #expect(throws: RPCError.self) { try Tree(json: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]) }
    }

    @Test func `escapes are read, and written where they must be`() throws {
        let tree = try Tree(json: #" { "label" : "\"\\\/\b\f\n\r\té\ud83d\udc26\u0041" } "#)
        #expect(tree.label == "\"\\/\u{8}\u{C}\n\r\té🐦A")
        #expect(try Tree(json: tree.jsonString()) == tree)
    }

    @Test func `nesting is bounded`() throws {
        let deep = String(repeating: #"{"left":"#, count: 100) + "{}" + String(repeating: "}", count: 100)
        #expect(try refusal(Tree.self, deep).contains("nested too deep"))
        let many = String(repeating: "[", count: 1_000_000)
        #expect(try refusal(ProtobufListValue.self, many).contains("nested too deep"))
        var options = JSONDecodingOptions()
        options.maximumDepth = 2
        #expect(throws: RPCError.self) { try Tree(json: #"{"left":{"left":{}}}"#, options) }
        #expect(try Tree(json: #"{"left":{}}"#, options) == Tree(left: Tree()))
    }

    @Test func `required fields must be there`() throws {
        #expect(throws: RPCError.self) { try LegacyNeedy(json: #"{"id":1}"#) }
        try expect(
            LegacyNeedy(id: 1, name: "n", light: .red, inner: .init(key: 2)),
            #"{"id":1,"name":"n","light":"RED","inner":{"key":"2"}}"#)
    }

    @Test func `groups and extensions`() throws {
        try expect(
            LegacyGroups(single: .init(many: [.init(text: "x")]), choice: .picked(.init(blob: [1]))),
            #"{"single":{"many":[{"text":"x"}]},"picked":{"blob":"AQ=="}}"#)
        var message = LegacyExtendable(own: 1)
        message[LegacyLegacyExtensions.aNumber] = 5
        message[LegacyLegacyExtensions.message] = LegacyDefaults(aBool: false)
        var encoding = JSONEncodingOptions()
        encoding.types = TypeRegistry([], extensions: LegacyLegacyExtensions.all)
        var decoding = JSONDecodingOptions()
        decoding.types = encoding.types
        try expect(
            message, #"{"own":1,"[test.legacy.a_number]":5,"[test.legacy.message]":{"aBool":false}}"#,
            encoding: encoding, decoding: decoding)
        #expect(try message.jsonString() == #"{"own":1}"#)
        #expect(try refusal(LegacyExtendable.self, #"{"[test.legacy.a_number]":5}"#).contains("no such field"))
    }
}
