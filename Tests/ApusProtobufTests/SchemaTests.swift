// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusProtobuf

struct SchemaTests {
    @Test func `many threads may use tables that refer to each other for the first time at once`() async throws {
        let bytes = Wire.data(1, Wire.data(1, Wire.data(1, Wire.data(1, Wire.number(2, 9)))))
        let counts = try await withThrowingTaskGroup(of: Int32?.self) { group in
            for number in 0..<64 {
                group.addTask {
                    guard number % 2 == 0 else {
                        return try Pong(serialized: Wire.data(1, bytes)).ping?.pong?.ping?.pong?.ping?.count
                    }
                    return try Ping(serialized: bytes).pong?.ping?.pong?.ping?.count
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts.allSatisfy { $0 == 9 })
    }

    @Test func `fields lie in the struct by the words that their kinds need`() {
        let places: [FieldPlace] = [
            .narrow, .wide, .data, .oneof(0), .presentData, .oneof(0), .message, .list, .oneof(1), .narrow,
        ]
        let (words, total) = FieldPlace.layout(places)
        #expect(words == [3, 4, 6, 8, 11, 8, 14, 15, 17, 20])
        #expect(total == 21)
    }

    @Test func `fields are found by number, low or high, and none beside them`() {
        let rules = Sparse.schema.rules
        for number: UInt32 in [1, 17, 300, 70000, 536_870_911] {
            #expect(rules.find(number)?.pointee.number == number)
        }
        for number: UInt32 in [2, 16, 18, 255, 256, 299, 301, 69999, 536_870_910] { #expect(rules.find(number) == nil) }
    }

    @Test func `a table tells names for people`() {
        #expect(Maps.schema.name == "test.everything.Maps")
        #expect(Maps.schema.description == "test.everything.Maps")
        #expect(Mood.schema.values.map(\.name).contains("MOOD_GLAD"))
        #expect(Mood(rawValue: 77) == .unrecognized(77))
    }
}
