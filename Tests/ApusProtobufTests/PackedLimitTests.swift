// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusProtobuf

/// A message is packed into as much memory as `Arena.packedLimit` says: it must never be too little.
struct PackedLimitTests {
    /// The message's size, and the limit for it.
    private func sizes(_ schema: MessageSchema, _ write: (FieldWriter) -> Void) throws -> (size: Int, limit: Int) {
        let arena = Arena.take(budget: .max)
        defer { arena.giveBack() }
        let root = FieldWriter(root: schema, in: arena)
        write(root)
        arena.packGroups()
        let limit = arena.packedLimit
        return (try root.pack(schema).count, limit)
    }

    private let lastNumber = 536_870_911

    @Test func `lists of numbers with the longest tags and values fit`() throws {
        let schema = MessageSchema("Long", [FieldSchema(lastNumber, "list", .int32, .repeated)])
        let (size, limit) = try sizes(schema) { $0.scalars([Int32](repeating: -1, count: 3000), at: 3) }
        #expect(size == 3000 * 15 && size <= limit)
        let wide = MessageSchema("Wide", [FieldSchema(lastNumber, "list", .int64, .repeated)])
        let (wideSize, wideLimit) = try sizes(wide) { $0.scalars([Int64](repeating: -1, count: 3000), at: 3) }
        #expect(wideSize == 3000 * 15 && wideSize <= wideLimit)
    }

    @Test func `single numbers, texts and empty messages with the longest tags fit`() throws {
        let numbers = MessageSchema(
            "Numbers", (0..<100).map { FieldSchema(lastNumber - $0, "n\($0)", .int32, .optional) })
        let (size, limit) = try sizes(numbers) { writer in
            for index in 0..<100 { writer.optionalScalar(-1 as Int32, at: 3 + index) }
        }
        #expect(size == 100 * 15 && size <= limit)

        let texts = MessageSchema("Texts", [FieldSchema(lastNumber, "list", .string, .repeated)])
        for length in [0, 1, 7, 8, 127, 128, 1000] {
            let values = [String](repeating: String(repeating: "a", count: length), count: 50)
            let (size, limit) = try sizes(texts) { $0.strings(values, at: 3) }
            #expect(size > 50 * length && size <= limit)
        }
        let messages = MessageSchema("Messages", [FieldSchema(lastNumber, "list", .message(Nothing.self), .repeated)])
        let (messageSize, messageLimit) = try sizes(messages) {
            $0.messages([Nothing](repeating: Nothing(), count: 500), at: 3)
        }
        #expect(messageSize == 500 * 6 && messageSize <= messageLimit)
    }

    @Test func `random messages of every type fit`() throws {
        let types: [any ProtobufMessage.Type] = [
            Scalars.self, Optionals.self, Lists.self, Maps.self, Choices.self, Tree.self, Names.self, Sparse.self,
            LegacyLists.self, LegacyGroups.self, LegacyExtendable.self, LegacySetOfMessages.self,
        ]
        var written = 0
        for seed in 0..<6000 {
            let type = types[seed % types.count]
            var random = RandomMessages(seed: UInt64(seed))
            guard let (size, limit) = try sizes(type, random.bytes(type.schema)) else { continue }
            #expect(size <= limit, "\(type.schema), seed \(seed)")
            written += 1
        }
        #expect(written > 3000)
    }

    private func sizes<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws -> (size: Int, limit: Int)? {
        guard let message = try? M(serialized: bytes) else { return nil }
        // Larger values are not copied into the arena, and packed another way.
        guard bytes.count < FieldWriter.pinnedSize else { return nil }
        return try sizes(M.schema, message.write(to:))
    }

    @Test func `messages on both sides of the limit for scratch memory are the same when they come back`() throws {
        for count in [30_000, 300_000] {
            let lists = Lists(int64s: Array(0..<Int64(count)), strings: [String](repeating: "text", count: count))
            #expect(try Lists(serialized: lists.serializedBytes()) == lists)
        }
    }
}
