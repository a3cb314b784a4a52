// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import ApusTelemetry

@Suite struct SeriesTableTests {
    private final class Number: Sendable {
        let value: Int
        init(_ value: Int) { self.value = value }
    }

    private func find(_ value: Int, in table: SeriesTable<Number>, hash: Int? = nil) -> Number? {
        table.series(hash: hash ?? value, where: { $0.value == value }, make: { Number(value) })
    }

    @Test func `a key finds what was made for it`() {
        let table = SeriesTable<Number>(limit: 100)
        let first = (0..<100).map { find($0, in: table) }
        #expect(first.compactMap { $0?.value } == Array(0..<100))
        #expect((0..<100).allSatisfy { find($0, in: table) === first[$0] })
    }

    @Test func `keys of one hash stay apart`() {
        let table = SeriesTable<Number>(limit: 50)
        for value in 0..<50 { #expect(find(value, in: table, hash: 7)?.value == value) }
        for value in 0..<50 { #expect(find(value, in: table, hash: 7)?.value == value) }
    }

    @Test func `a full table takes no more keys and still finds the old ones`() {
        let table = SeriesTable<Number>(limit: 3)
        for value in 1...3 { #expect(find(value, in: table) != nil) }
        for value in 4...20 { #expect(find(value, in: table) == nil) }
        for value in 1...3 { #expect(find(value, in: table)?.value == value) }
    }

    @Test func `tasks that ask at once get the same, and no place is lost`() async {
        let table = SeriesTable<Number>(limit: 40)
        for value in 0..<40 {
            let found = await withTaskGroup { group in
                for _ in 0..<8 { group.addTask { find(value, in: table, hash: 1) } }
                return await group.reduce(into: [Number?]()) { $0.append($1) }
            }
            #expect(found.allSatisfy { $0 != nil && $0 === found[0] })
        }
        #expect(find(40, in: table) == nil)
    }
}
