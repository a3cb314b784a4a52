// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

/// A table by hand, as proto2 files will have them: an enum that admits only the numbers it names.
private struct Signals: ProtobufMessage {
    var light: Int32 = 0
    var lights: [Int32] = []
    var chosen: Int32?
    var unknownFields = UnknownFields()

    static let closed = EnumSchema("test.Light", [(0, "RED"), (1, "GREEN")], isClosed: true)
    static let schema = MessageSchema(
        "test.Signals",
        [
            FieldSchema(1, "light", .enumeration(closed)),
            FieldSchema(2, "lights", .enumeration(closed), .packed),
            FieldSchema(3, "chosen", .enumeration(closed), .oneof(0)),
            FieldSchema(4, "other", .message(Signals.self), .oneof(0)),
        ])

    init() {}

    init(reading fields: FieldReader) {
        light = fields.scalar(at: 3)
        lights = fields.scalars(at: 4)
        if fields.oneof(at: 6) == 3 { chosen = fields.scalar(at: 6) }
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.scalar(light, at: 3)
        fields.scalars(lights, at: 4)
        if let chosen {
            fields.oneof(3, at: 6)
            fields.scalar(chosen, at: 6)
        }
        fields.unknownFields(unknownFields)
    }
}

struct ClosedEnumTests {
    @Test func `a number without a name is an unknown field`() throws {
        let signals = try Signals(serialized: Wire.number(1, 1) + Wire.number(1, 7))
        #expect(signals.light == 1)
        #expect(signals.unknownFields.bytes == Wire.number(1, 7))
        #expect(try signals.serializedBytes() == Wire.number(1, 1) + Wire.number(1, 7))
    }

    @Test func `of a list, packed or not, only the elements with a name remain`() throws {
        let signals = try Signals(serialized: Wire.data(2, [0, 9, 1]) + Wire.number(2, 8) + Wire.number(2, 1))
        #expect(signals.lights == [0, 1, 1])
        #expect(signals.unknownFields.bytes == Wire.number(2, 9) + Wire.number(2, 8))
    }

    @Test func `a number without a name does not set a oneof`() throws {
        let signals = try Signals(serialized: Wire.number(3, 1) + Wire.number(3, 5))
        #expect(signals.chosen == 1)
        #expect(signals.unknownFields.bytes == Wire.number(3, 5))
        #expect(try Signals(serialized: Wire.number(3, 0) + Wire.data(4, [])).chosen == nil)
    }
}
