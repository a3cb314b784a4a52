// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// Messages with something in every field, and how protoc's text format writes them.
enum Samples {
    static let scalars = Scalars(
        aDouble: -0.0, aFloat: 1.5, anInt32: -1, anInt64: .min, aUint32: .max, aUint64: .max, aSint32: -64,
        aSint64: .min, aFixed32: 7, aFixed64: .max, anSfixed32: .min, anSfixed64: -2, aBool: true,
        aString: "naïve\0🐦", someBytes: [0, 255, 10], mood: .sad)

    static let scalarsText = #"""
        a_double: -0 a_float: 1.5 an_int32: -1 an_int64: -9223372036854775808 a_uint32: 4294967295
        a_uint64: 18446744073709551615 a_sint32: -64 a_sint64: -9223372036854775808 a_fixed32: 7
        a_fixed64: 18446744073709551615 an_sfixed32: -2147483648 an_sfixed64: -2 a_bool: true
        a_string: "naïve\000🐦" some_bytes: "\000\377\n" mood: MOOD_SAD
        """#

    static let emptyButPresent = Optionals(
        aDouble: 0, aFloat: 0, anInt32: 0, anInt64: 0, aUint32: 0, aUint64: 0, aSint32: 0, aSint64: 0, aFixed32: 0,
        aFixed64: 0, anSfixed32: 0, anSfixed64: 0, aBool: false, aString: "", someBytes: [], mood: .unknown,
        scalars: Scalars())

    static let emptyButPresentText = #"""
        a_double: 0 a_float: 0 an_int32: 0 an_int64: 0 a_uint32: 0 a_uint64: 0 a_sint32: 0 a_sint64: 0 a_fixed32: 0
        a_fixed64: 0 an_sfixed32: 0 an_sfixed64: 0 a_bool: false a_string: "" some_bytes: "" mood: MOOD_UNKNOWN
        scalars {}
        """#

    static let optionals = Optionals(
        aDouble: 1e300, aFloat: -1.5, anInt32: 1, anInt64: 2, aUint32: 3, aUint64: 4, aSint32: 5, aSint64: 6,
        aFixed32: 7, aFixed64: 8, anSfixed32: 9, anSfixed64: 10, aBool: true, aString: "text", someBytes: [1],
        mood: .belowZero, scalars: scalars)

    static let optionalsText = #"""
        a_double: 1e300 a_float: -1.5 an_int32: 1 an_int64: 2 a_uint32: 3 a_uint64: 4 a_sint32: 5 a_sint64: 6
        a_fixed32: 7 a_fixed64: 8 an_sfixed32: 9 an_sfixed64: 10 a_bool: true a_string: "text" some_bytes: "\001"
        mood: MOOD_BELOW_ZERO scalars { \#(scalarsText) }
        """#

    static let lists = Lists(
        doubles: [1, -0.0, .infinity], floats: [0.5, -2], int32s: [0, -1, .max], int64s: [.min, 300], uint32s: [.max],
        uint64s: [.max, 0], sint32s: [-1, 1], sint64s: [.min], fixed32s: [1, 2, 3], fixed64s: [.max],
        sfixed32s: [-1, .min], sfixed64s: [.min, -1], bools: [true, false, true], strings: ["", "a\0b", "ü"],
        byteStrings: [[], [0], [1, 2]], moods: [.happy, .unrecognized(99), .unknown], scalars: [Scalars(), scalars],
        unpacked: [3, -3])

    static let listsText = #"""
        doubles: [1, -0, inf] floats: [0.5, -2] int32s: [0, -1, 2147483647] int64s: [-9223372036854775808, 300]
        uint32s: 4294967295 uint64s: [18446744073709551615, 0] sint32s: [-1, 1] sint64s: -9223372036854775808
        fixed32s: [1, 2, 3] fixed64s: 18446744073709551615 sfixed32s: [-1, -2147483648]
        sfixed64s: [-9223372036854775808, -1] bools: [true, false, true] strings: ["", "a\000b", "ü"]
        byte_strings: ["", "\000", "\001\002"] moods: [MOOD_HAPPY, 99, MOOD_UNKNOWN] scalars {}
        scalars { \#(scalarsText) } unpacked: [3, -3]
        """#

    // One entry each: the order of a map's entries is nobody's promise.
    static let maps = Maps(
        names: ["key": "value"], numbers: [-1: .min], truths: [true: -0.0], blobs: [.max: [9]], moods: [-5: .sad],
        messages: ["": scalars], fixed: [0: 0], signed: [.min: .max])

    static let mapsText = #"""
        names { key: "key" value: "value" } numbers { key: -1 value: -9223372036854775808 }
        truths { key: true value: -0 } blobs { key: 18446744073709551615 value: "\t" } moods { key: -5 value: MOOD_SAD }
        messages { key: "" value { \#(scalarsText) } } fixed { key: 0 value: 0 }
        signed { key: -9223372036854775808 value: 4294967295 }
        """#

    static let choices: [(Choices, String)] = [
        (Choices(before: "b", firstChoice: .text(""), after: "a"), #"before: "b" text: "" after: "a""#),
        (Choices(firstChoice: .number(0), second: .yes(false)), "number: 0 yes: false"),
        (Choices(firstChoice: .scalars(scalars), second: .much(-1)), "scalars { \(scalarsText) } much: -1"),
        (Choices(firstChoice: .choices(Choices(firstChoice: .real(-0.0)))), "choices { real: -0 }"),
        (Choices(firstChoice: .blob([])), #"blob: """#),
        (Choices(firstChoice: .mood(.unrecognized(-7))), "mood: -7"),
        (Choices(firstChoice: .nothing(ProtobufEmpty())), "nothing {}"),
    ]

    static let tree = Tree(
        label: "root", left: Tree(label: "l", right: Tree()), right: Tree(more: [Tree(label: "m")]),
        more: [Tree(), Tree(label: "n")], named: ["k": Tree(left: Tree(label: "deep"))])

    static let treeText = #"""
        label: "root" left { label: "l" right {} } right { more { label: "m" } } more {} more { label: "n" }
        named { key: "k" value { left { label: "deep" } } }
        """#

    static let imports = Imports(
        item: ShopItem(name: "pen", colour: .red), colour: .red, time: ProtobufTimestamp(seconds: -1, nanos: 999),
        duration: ProtobufDuration(seconds: 3), empty: ProtobufEmpty())

    static let importsText = #"""
        item { name: "pen" colour: COLOUR_RED } colour: COLOUR_RED time { seconds: -1 nanos: 999 }
        duration { seconds: 3 } empty {}
        """#

    static let names = Names(
        default: "a", self_: "b", init_: "c", unknownFields_: "d", fields: "e", in: "f", hashValue_: "g", schema: "h",
        write: "i", entry: "j", value: "k", rawValue: "l", class: 13, type: Names.TypeMessage(protocol: 1),
        string: StringMessage(string: "s"), extension: ["x": "y"], case: .none_("n"))

    static let namesText = #"""
        default: "a" self: "b" init: "c" unknown_fields: "d" fields: "e" in: "f" hash_value: "g" schema: "h"
        write: "i" entry: "j" value: "k" rawValue: "l" class: 13 type { protocol: 1 } string { string: "s" }
        extension { key: "x" value: "y" } none: "n"
        """#

    static let outer = Outer(
        inner: .init(level: .high, deeper: .init(text: "t")), deepest: [.init(), .init(text: "u")], level: .high)

    static let outerText = #"""
        inner { level: LEVEL_HIGH deeper { text: "t" } } deepest {} deepest { text: "u" } level: LEVEL_HIGH
        """#

    static let sparse = Sparse(one: 1, seventeen: 17, at300: "x", at70000: Sparse(one: 2), last: [1, 2])
    static let sparseText = #"one: 1 seventeen: 17 at_300: "x" at_70000 { one: 2 } last: "\001\002""#
}
