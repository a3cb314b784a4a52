// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

private typealias File = LegacyLegacyExtensions

struct ExtensionTests {
    private var extended: LegacyExtendable {
        var message = LegacyExtendable(own: 1)
        message[File.aNumber] = -5
        message[File.texts] = ["a", ""]
        message[File.packed] = [-1, 1]
        message[File.light] = .amber
        message[File.message] = LegacyDefaults(aString: "inside")
        message[File.grouped] = .init(x: 3)
        message[File.`default`] = [[], [1]]
        message[LegacyScope.Extensions.inside] = LegacyScope(text: "scope")
        message[LegacyScope.Extensions.needy] = [LegacyNeedy(id: 1, name: "", light: .red, inner: .init(key: 2))]
        return message
    }

    private let text = """
        own: 1 [test.legacy.a_number]: -5 [test.legacy.texts]: "a" [test.legacy.texts]: "" [test.legacy.packed]: -1
        [test.legacy.packed]: 1 [test.legacy.light]: AMBER [test.legacy.message] { a_string: "inside" }
        [test.legacy.grouped] { x: 3 } [test.legacy.default]: "" [test.legacy.default]: "\\001"
        [test.legacy.Scope.inside] { text: "scope" }
        [test.legacy.Scope.needy] { id: 1 name: "" light: RED inner { key: 2 } }
        """

    @Test func `extensions of all kinds are what protoc takes them for`() throws {
        let theirs = try ProtocOracle.encode("test.legacy.Extendable", text)
        let ours = try extended.serializedBytes()
        #expect(
            try ProtocOracle.decode("test.legacy.Extendable", ours)
                == ProtocOracle.decode("test.legacy.Extendable", theirs))
        let read = try LegacyExtendable(serialized: theirs)
        #expect(read[File.aNumber] == -5 && read[File.texts] == ["a", ""] && read[File.packed] == [-1, 1])
        #expect(read[File.light] == .amber && read[File.message]?.aString == "inside")
        #expect(read[File.grouped]?.x == 3 && read[File.`default`] == [[], [1]])
        #expect(read[LegacyScope.Extensions.inside]?.text == "scope")
        #expect(read[LegacyScope.Extensions.needy].map(\.inner.key) == [2])
    }

    @Test func `an extension that is set again replaces the first, and nil removes it`() throws {
        var message = extended
        message[File.aNumber] = 6
        #expect(message[File.aNumber] == 6 && message[File.texts] == ["a", ""])
        message[File.aNumber] = nil
        message[File.texts] = []
        #expect(message[File.aNumber] == nil && message[File.texts].isEmpty)
        #expect(message[File.light] == .amber)
    }

    @Test func `absent extensions are nil or empty, malformed ones too`() throws {
        let message = try LegacyExtendable(serialized: Wire.data(104, [0x0A]))
        #expect(message[File.message] == nil && message[File.texts].isEmpty)
        #expect(throws: (any Error).self) { try File.message.value(in: message.unknownFields) }
        #expect(try message.serializedBytes() == Wire.data(104, [0x0A]))
    }

    @Test func `extensions in pieces are merged`() throws {
        let bytes = Wire.data(104, Wire.number(3, 1)) + Wire.number(1, 9) + Wire.data(104, Wire.text(14, "x"))
        let message = try LegacyExtendable(serialized: bytes)
        #expect(message[File.message] == LegacyDefaults(anInt32: 1, aString: "x"))
    }

    @Test func `an item of a message set is an extension`() throws {
        var set = LegacySetOfMessages()
        set[LegacyInSet.Extensions.inSet] = LegacyInSet(text: "item")
        let text = "[test.legacy.InSet.in_set] { text: \"item\" }"
        let theirs = try ProtocOracle.encode("test.legacy.SetOfMessages", text)
        #expect(try set.serializedBytes() == theirs)
        let read = try LegacySetOfMessages(serialized: theirs + Wire.group(1, Wire.number(2, 5) + Wire.data(3, [])))
        #expect(read[LegacyInSet.Extensions.inSet]?.text == "item")
        let plain = try LegacySetOfMessages(serialized: Wire.data(1_547_769, Wire.text(25, "plain")) + theirs)
        #expect(plain[LegacyInSet.Extensions.inSet]?.text == "item")
        var changed = read
        changed[LegacyInSet.Extensions.inSet] = nil
        #expect(try changed.serializedBytes() == Wire.group(1, Wire.number(2, 5) + Wire.data(3, [])))
    }
}
