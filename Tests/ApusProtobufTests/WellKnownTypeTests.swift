// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Foundation
import Testing

struct WellKnownTypeTests {
    private func exchange<M: ProtobufMessage>(_ message: M, _ json: String) throws {
        #expect(try message.jsonString() == json)
        #expect(try M(json: json) == message)
    }

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00Z"), (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
        (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"), (-1, 500_000_000, "1969-12-31T23:59:59.500Z"),
        (951_782_400, 1000, "2000-02-29T00:00:00.000001Z"), (68_183_999, 0, "1972-02-29T03:59:59Z"),
        (-2_203_891_200, 0, "1900-03-01T00:00:00Z"),
    ])
    func `times are RFC 3339 in JSON`(seconds: Int64, nanos: Int32, text: String) throws {
        try exchange(ProtobufTimestamp(seconds: seconds, nanos: nanos), "\"\(text)\"")
        #expect(ProtobufTimestamp(text)?.text == text)
    }

    @Test func `times of other zones are read`() {
        #expect(ProtobufTimestamp("1970-01-01T01:30:00+01:30") == ProtobufTimestamp())
        #expect(ProtobufTimestamp("1969-12-31T16:00:00.5-08:00") == ProtobufTimestamp(nanos: 500_000_000))
    }

    @Test(arguments: [
        "", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01t00:00:00Z", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567890Z", "1970-01-01T00:00:00Z ", "70-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01", "1970-01-00T00:00:00Z", "1970-01-01T00:00:00+24:00",
    ])
    func `text that is no time is refused`(text: String) {
        #expect(ProtobufTimestamp(text) == nil)
        #expect(throws: RPCError.self) { try ProtobufTimestamp(json: "\"\(text)\"") }
    }

    @Test func `times out of range have no JSON`() {
        for time in [ProtobufTimestamp(seconds: 253_402_300_800), .init(nanos: -1), .init(nanos: 1_000_000_000)] {
            #expect(throws: RPCError.self) { try time.jsonString() }
            #expect(time.text == nil)
        }
    }

    @Test func `times and Swift's durations`() {
        let time = ProtobufTimestamp(since1970: .milliseconds(-1500))
        #expect(time == ProtobufTimestamp(seconds: -2, nanos: 500_000_000))
        #expect(time.since1970 == .milliseconds(-1500))
        #expect(time + .seconds(2) == ProtobufTimestamp(nanos: 500_000_000))
        #expect(time + .seconds(2) - time == .seconds(2) && time < time + .nanoseconds(1))
        let last = ProtobufTimestamp(seconds: .max, nanos: .max)
        #expect((last + .seconds(Int64.max)).seconds == .max)
        #expect((ProtobufTimestamp(seconds: .min) + .seconds(-1)).seconds == .min)
        #expect(ProtobufTimestamp.now > ProtobufTimestamp("2024-01-01T00:00:00Z") ?? .now)
    }

    @Test func `durations`() throws {
        try exchange(ProtobufDuration(seconds: 1, nanos: 500_000_000), "\"1.500s\"")
        try exchange(ProtobufDuration(seconds: 0, nanos: -1), "\"-0.000000001s\"")
        try exchange(ProtobufDuration(seconds: -315_576_000_000), "\"-315576000000s\"")
        #expect(ProtobufDuration(.milliseconds(-1500)) == ProtobufDuration(seconds: -1, nanos: -500_000_000))
        #expect(Duration(ProtobufDuration(seconds: -1, nanos: -500_000_000)) == .milliseconds(-1500))
        for text in ["", "1", "s", "1.s", "315576000001s", "1s ", "--1s", "1.0000000001s", "99999999999999999999s"] {
            #expect(throws: RPCError.self) { try ProtobufDuration(json: "\"\(text)\"") }
        }
        for duration in [ProtobufDuration(seconds: 1, nanos: -1), .init(seconds: 315_576_000_001)] {
            #expect(throws: RPCError.self) { try duration.jsonString() }
        }
    }

    @Test func `structs are JSON, and have literals`() throws {
        let value: ProtobufStruct = [
            "name": "ada", "age": 36, "half": 0.5, "tags": ["a", nil, true], "more": ["x": [:]],
        ]
        try exchange(value, #"{"age":36,"half":0.5,"more":{"x":{}},"name":"ada","tags":["a",null,true]}"#)
        #expect(value["name"]?.string == "ada" && value["age"]?.number == 36 && value["tags"]?.list?[2].bool == true)
        #expect(value["more"]?.entries?["x"]?.entries?.isEmpty == true)
        try exchange([1, "two"] as ProtobufListValue, #"[1,"two"]"#)
        try exchange("text" as ProtobufValue, #""text""#)
        #expect(throws: RPCError.self) { try ProtobufValue(kind: .numberValue(.nan)).jsonString() }
        #expect(throws: RPCError.self) { try ProtobufValue().jsonString() }
        #expect(throws: RPCError.self) { try ProtobufStruct(json: #"{"a":1,"a":2}"#) }
    }

    @Test func `field masks`() throws {
        try exchange(["user.display_name", "photo"] as ProtobufFieldMask, #""user.displayName,photo""#)
        try exchange(ProtobufFieldMask(), "\"\"")
        for path in ["fooBar", "foo__bar", "foo_3", "foo_", "", "a b", "a,b"] {
            #expect(throws: RPCError.self) { try ProtobufFieldMask(paths: [path]).jsonString() }
        }
        for text in ["foo_bar", "a,,b", "a b"] {
            #expect(throws: RPCError.self) { try ProtobufFieldMask(json: "\"\(text)\"") }
        }
        #expect((["left.label", "more"] as ProtobufFieldMask).isValid(for: Tree.self))
        #expect(!(["more.label"] as ProtobufFieldMask).isValid(for: Tree.self))
        #expect(!(["what"] as ProtobufFieldMask).isValid(for: Tree.self))
    }

    @Test func `wrappers are their values`() throws {
        try exchange(5 as ProtobufInt64Value, "\"5\"")
        try exchange(true as ProtobufBoolValue, "true")
        try exchange("x" as ProtobufStringValue, "\"x\"")
        try exchange(0.5 as ProtobufFloatValue, "0.5")
        try exchange(ProtobufBytesValue(value: [1]), "\"AQ==\"")
        try exchange(ProtobufUInt32Value(), "0")
    }

    @Test func `an Any holds what its URL says`() throws {
        let any = try ProtobufAny(packing: Tree(label: "x"))
        #expect(any.typeUrl == "type.googleapis.com/test.everything.Tree")
        #expect(any.holds(Tree.self) && !any.holds(Ping.self))
        #expect(try any.unpacked(Tree.self) == Tree(label: "x"))
        #expect(try any.unpacked(TypeRegistry([Tree.self]))["label"] == .string("x"))
        #expect(throws: RPCError.self) { try any.unpacked(Ping.self) }
        #expect(throws: RPCError.self) { try any.unpacked(TypeRegistry()) }
        #expect(ProtobufAny(typeUrl: "no slash").typeName.isEmpty)
    }

    @Test func `an Any in JSON needs to know its type`() throws {
        var encoding = JSONEncodingOptions()
        encoding.types = TypeRegistry([Tree.self])
        var decoding = JSONDecodingOptions()
        decoding.types = encoding.types
        let any = try ProtobufAny(packing: Tree(label: "x"))
        let json = #"{"@type":"type.googleapis.com/test.everything.Tree","label":"x"}"#
        #expect(try any.jsonString(encoding) == json)
        #expect(try ProtobufAny(json: json, decoding) == any)
        #expect(
            try ProtobufAny(json: #"{"label":"x","@type":"a/b/test.everything.Tree"}"#, decoding).value == any.value)
        #expect(throws: RPCError.self) { try any.jsonString() }
        for json in [json, #"{"label":"x"}"#, #"{"@type":5}"#, #"{"@type":"a/b","@type":"a/b"}"#, #"{"@type":"x"}"#] {
            #expect(throws: RPCError.self) { try ProtobufAny(json: json) }
        }
        try exchange(ProtobufAny(), "{}")
        #expect(throws: RPCError.self) { try ProtobufAny(value: [1]).jsonString() }
    }

    @Test func `an Any with a type that has a form of its own keeps it under value`() throws {
        try exchange(
            ProtobufAny(packing: ProtobufDuration(seconds: 1)),
            #"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}"#)
        try exchange(
            ProtobufAny(packing: ProtobufAny(packing: ["a": 1] as ProtobufStruct)),
            #"{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"#
                + #""type.googleapis.com/google.protobuf.Struct","value":{"a":1}}}"#)
        let empty = #"{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}}"#
        try exchange(ProtobufAny(packing: ProtobufEmpty()), empty)
    }

    @Test func `Codable is the JSON mapping`() throws {
        let message = Imports(
            item: .init(), time: ProtobufTimestamp(seconds: 1), duration: ProtobufDuration(seconds: 2))
        let data = try JSONEncoder().encode(message)
        #expect(try Imports(json: [UInt8](data)) == message)
        #expect(try JSONDecoder().decode(Imports.self, from: data) == message)
        let scalars = try JSONEncoder().encode([Samples.scalars])
        #expect(try JSONDecoder().decode([Scalars].self, from: scalars) == [Samples.scalars])
        let lists = try PropertyListEncoder().encode(Samples.maps)
        #expect(try PropertyListDecoder().decode(Maps.self, from: lists) == Samples.maps)
        #expect(throws: (any Error).self) { try JSONDecoder().decode(Scalars.self, from: Data(#"{"what":1}"#.utf8)) }
    }

    @Test func `a coder may be told of types`() throws {
        let any = try ProtobufAny(packing: Tree(label: "x"))
        let encoder = JSONEncoder()
        encoder.userInfo[.protobufTypes] = TypeRegistry([Tree.self])
        let decoder = JSONDecoder()
        decoder.userInfo[.protobufTypes] = TypeRegistry([Tree.self])
        #expect(try decoder.decode(ProtobufAny.self, from: encoder.encode(any)) == any)
        #expect(throws: (any Error).self) { try JSONEncoder().encode(any) }
    }
}
