// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// SplitMix64: the same numbers on every machine.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Random bytes that look like messages of a type: mostly right, sometimes odd, now and then broken.
struct RandomMessages {
    var random: SeededRandom
    /// Only what every reader takes for a message without unknown fields.
    var isClean = false

    init(seed: UInt64, isClean: Bool = false) {
        random = SeededRandom(state: seed)
        self.isClean = isClean
    }

    mutating func bytes(_ schema: MessageSchema) -> [UInt8] {
        let bytes = message(schema, depth: 0)
        return !isClean && random.chance(12) ? damaged(bytes) : bytes
    }

    private mutating func message(_ schema: MessageSchema, depth: Int) -> [UInt8] {
        if isClean, let moment = moment(schema) { return moment }
        var bytes: [UInt8] = []
        var last: [UInt8] = []
        let required = schema.fields.filter { if case .required = $0.shape { true } else { false } }
        if isClean || random.chance(90) { for field in required { bytes += occurrence(field, schema, depth: depth) } }
        guard !schema.fields.isEmpty, depth < 8 else { return bytes + (isClean ? [] : odd(schema)) }
        for _ in 0..<random.below(depth == 0 ? 9 : 5) {
            switch isClean ? 0 : random.below(100) {
            case 0..<80: last = occurrence(schema.fields[random.below(schema.fields.count)], schema, depth: depth)
            case 80..<88: break
            default: last = odd(schema)
            }
            bytes += last
        }
        return bytes
    }

    /// The JSON of times is bounded: most random ones would have none.
    private mutating func moment(_ schema: MessageSchema) -> [UInt8]? {
        guard schema.name == "google.protobuf.Timestamp" || schema.name == "google.protobuf.Duration" else {
            return nil
        }
        return Wire.number(1, UInt64(random.below(200_000_000_000)))
            + Wire.number(2, UInt64(random.below(1_000_000_000)))
    }

    private mutating func occurrence(_ field: FieldSchema, _ schema: MessageSchema, depth: Int) -> [UInt8] {
        let number = UInt64(field.number)
        switch field.shape {
        case .map(let key):
            var entry = random.chance(90) ? self.key(key, schema, depth: depth) : []
            let value = FieldSchema(2, "value", field.type, .optional)
            if isClean || random.chance(90) { entry += self.value(value, schema, depth: depth + 1) }
            if !isClean, random.chance(5) { entry += self.value(value, schema, depth: depth + 1) }
            return Wire.data(number, entry)
        case .repeated, .packed:
            guard let run = random.chance(50) ? packed(field) : nil else {
                return (0...random.below(3)).flatMap { _ in value(field, schema, depth: depth) }
            }
            return Wire.data(number, run)
        default: return value(field, schema, depth: depth)
        }
    }

    private mutating func key(_ type: FieldType, _ schema: MessageSchema, depth: Int) -> [UInt8] {
        // Of a truth value as a key C++ reads 32 bits only.
        if case .bool = type { return Wire.number(1, UInt64(random.below(3))) }
        return value(FieldSchema(1, "key", type), schema, depth: depth)
    }

    private mutating func packed(_ field: FieldSchema) -> [UInt8]? {
        guard scalar(field.type) != nil else { return nil }
        var run: [UInt8] = []
        for _ in 0..<random.below(5) { run += scalar(field.type)?.bytes ?? [] }
        return run
    }

    /// The field with its tag.
    private mutating func value(_ field: FieldSchema, _ schema: MessageSchema, depth: Int) -> [UInt8] {
        let number = UInt64(field.number)
        if let scalar = scalar(field.type) { return tag(number, scalar.wireType) + scalar.bytes }
        switch field.type {
        case .string: return Wire.data(number, text(isProto3: !schema.name.hasPrefix("test.legacy")))
        case .bytes: return Wire.data(number, blob())
        case .group(let type): return Wire.group(number, message(type.schema, depth: depth + 1))
        default: return Wire.data(number, field.type.schema.map { message($0, depth: depth + 1) } ?? [])
        }
    }

    private mutating func scalar(_ type: FieldType) -> (wireType: UInt64, bytes: [UInt8])? {
        switch type {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64: return (0, varint(integer()))
        case .bool: return (0, varint(isClean ? UInt64(random.below(2)) : integer()))
        case .enumeration(let schema):
            let isNamed = isClean || random.chance(80)
            let number = isNamed ? schema.values[random.below(schema.values.count)].number : Int32(random.below(20))
            return (0, varint(UInt64(bitPattern: Int64(number))))
        case .fixed32, .sfixed32: return (5, fixed(integer(), 4))
        case .fixed64, .sfixed64: return (1, fixed(integer(), 8))
        case .float: return (5, fixed(UInt64(Float(real()).bitPattern), 4))
        case .double: return (1, fixed(real().bitPattern, 8))
        default: return nil
        }
    }

    private mutating func integer() -> UInt64 {
        switch random.below(6) {
        case 0: 0
        case 1: UInt64(random.below(300))
        case 2: UInt64(bitPattern: -Int64(random.below(300)))
        case 3: UInt64(1) << UInt64(random.below(64))
        case 4: random.next() >> UInt64(random.below(64))
        default:
            [.max, UInt64(Int64.max), UInt64(bitPattern: .min), 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF][random.below(6)]
        }
    }

    private mutating func real() -> Double {
        switch random.below(4) {
        case 0: [0, -0.0, 1, -1.5, .infinity, -.infinity, .leastNonzeroMagnitude, 1e-40, 0.1][random.below(9)]
        case 1: Double(Int64(bitPattern: random.next()) >> Int64(random.below(60)))
        default: Double(random.below(1_000_000)) / 1000
        }
    }

    /// Sometimes in more bytes than it needs.
    private mutating func varint(_ value: UInt64) -> [UInt8] {
        var bytes = Wire.varint(value)
        guard !isClean, random.chance(5), bytes.count < 10 else { return bytes }
        bytes[bytes.count - 1] |= 0x80
        let padding = random.below(10 - bytes.count)
        return bytes + [UInt8](repeating: 0x80, count: padding) + [0]
    }

    private mutating func tag(_ number: UInt64, _ wireType: UInt64) -> [UInt8] {
        var bytes = Wire.tag(number, wireType)
        guard !isClean, random.chance(3), bytes.count < 5 else { return bytes }
        bytes[bytes.count - 1] |= 0x80
        return bytes + [UInt8](repeating: 0x80, count: random.below(5 - bytes.count)) + [0]
    }

    private func fixed(_ value: UInt64, _ count: UInt64) -> [UInt8] {
        (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) }
    }

    private mutating func text(isProto3: Bool) -> [UInt8] {
        // proto2 readers differ on text that is no UTF-8.
        if isProto3, !isClean, random.chance(1) { return [0x61, UInt8(0x80 + random.below(128))] }
        let samples = [
            "", "a", "naïve", "🐦", "a\0b", "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10FFFF}", "<&\"\\/>", "line\nbreak",
        ]
        let sample = samples[random.below(samples.count)]
        return Array(String(repeating: sample, count: random.chance(1) ? 1500 : 1 + random.below(3)).utf8)
    }

    private mutating func blob() -> [UInt8] {
        (0..<random.below(random.chance(1) ? 3000 : 6)).map { _ in UInt8(random.below(256)) }
    }

    /// What the table does not expect: another wire type, or a number that it does not have.
    private mutating func odd(_ schema: MessageSchema) -> [UInt8] {
        let known = schema.fields.isEmpty ? 1 : schema.fields[random.below(schema.fields.count)].number
        let number = random.chance(60) ? UInt64(known) : UInt64(1 + random.below(random.chance(50) ? 40 : 536_870_911))
        switch random.below(5) {
        case 0: return Wire.tag(number, 0) + varint(integer())
        case 1: return Wire.tag(number, 1) + fixed(random.next(), 8)
        case 2: return Wire.data(number, blob())
        case 3: return Wire.tag(number, 5) + fixed(random.next(), 4)
        default: return Wire.group(number, random.chance(50) ? Wire.number(1, integer()) : Wire.data(200, blob()))
        }
    }

    /// A byte changed, put in or taken out, a stretch doubled, or the end cut off.
    private mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        var bytes = bytes
        let place = random.below(bytes.count)
        switch random.below(6) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes[place] ^= 1 << UInt8(random.below(8))
        case 2: bytes.insert(UInt8(random.below(256)), at: place)
        case 3: bytes.remove(at: place)
        case 4: bytes = Array(bytes.prefix(place))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + random.below(40))], at: place)
        }
        return bytes
    }
}
