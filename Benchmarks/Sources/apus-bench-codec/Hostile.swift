// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import CodecProtos

/// Bytes that a stranger sends to keep a server busy: what each of them costs to decode, or to refuse.
struct Hostile {
    let title: String
    let decode: (MessageBytes) throws -> Void
    /// What is repeated until the message is long enough.
    let unit: [UInt8]
    var start: [UInt8] = []

    static let byteCount = 4 << 20

    static var all: [Hostile] {
        [
            Hostile("empty messages in a list", Track.self, [0x0A, 0]),
            Hostile("empty entries of a map", Glossary.self, [0x0A, 0]),
            Hostile("entries of one key", Glossary.self, [0x0A, 3, 0x0A, 1, 0x61]),
            Hostile("empty items and tags by turns", Order.self, [0x32, 0, 0xEA, 1, 0]),
            Hostile("empty tags", Order.self, [0xEA, 1, 0]),
            Hostile("one empty message again and again", Order.self, [0x1A, 0]),
            Hostile("one name again and again", Order.self, [0x0A, 1, 0x61]),
            Hostile("numbers, one to a field", Order.self, [0xF8, 1, 1]),
            Hostile("unknown numbers", Track.self, [0x10, 1]),
            Hostile("unknown groups", Track.self, [0x13, 0x14]),
            Hostile("known and unknown by turns", Track.self, [0x0A, 0, 0x10, 1]),
            Hostile(
                "letters of four bytes", Small.self, [0xF0, 0x9F, 0x98, 0x80], start: [0x12, 0xF8, 0xFF, 0xFF, 1]),
        ]
    }

    init<M: ProtobufMessage>(_ title: String, _: M.Type, _ unit: [UInt8], start: [UInt8] = []) {
        self.title = title
        self.unit = unit
        self.start = start
        decode = { consume(try M(serialized: $0)) }
    }

    var bytes: [UInt8] {
        let count = start.isEmpty ? Self.byteCount / unit.count : 0x1FFFF8 * 2 / unit.count
        return start + Array(repeatElement(unit, count: count).joined())
    }

    /// The best of some tries, in nanoseconds of the processor for a byte; whether the message was taken.
    func cost() -> (nanosecondsPerByte: Double, isTaken: Bool) {
        let message = MessageBytes(bytes)
        var best = Double.infinity
        var isTaken = true
        for _ in 0..<5 {
            let time = processorTime { do { try decode(message) } catch { isTaken = false } }
            best = min(best, time)
        }
        return (best / Double(message.count), isTaken)
    }

    static func printAll() {
        for hostile in all {
            let (cost, isTaken) = hostile.cost()
            print(cell(hostile.title, 36) + right(decimal(cost, 1), 6), "ns a byte,", isTaken ? "taken" : "refused")
        }
    }
}
