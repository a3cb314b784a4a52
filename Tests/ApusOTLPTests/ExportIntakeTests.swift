// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusOTLP

@Suite struct ExportIntakeTests {
    private let intake = ExportIntake<Int>(OTLPBatchLimits(capacity: 100, batch: 10, delay: .seconds(1)))

    @Test func `who waits for items is told once, and not at all when they are there`() {
        #expect(intake.waits(for: 10))
        #expect((0..<30).map { intake.add($0) }.filter { $0 }.count == 1)
        #expect(!intake.waits(for: 30) && intake.waits(for: 31))
        #expect(intake.drain().sorted() == Array(0..<30))
        #expect(!intake.add(0) && intake.waits(for: .max))
        #expect(!(0..<30).contains { intake.add($0) })
    }

    @Test func `there is room for what is exported, not for what is only drained`() {
        for number in 0..<110 { _ = intake.add(number) }
        #expect((intake.waiting, intake.dropped) == (100, 10))
        #expect(intake.drain().count == 100)
        _ = intake.add(0)
        #expect((intake.waiting, intake.dropped) == (100, 11))
        intake.release(100)
        _ = intake.add(0)
        #expect((intake.waiting, intake.dropped) == (1, 11))
    }

    @Test func `many threads lose nothing, and go above no limit`() async {
        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { for number in 0..<1000 { _ = intake.add(number) } } }
        }
        #expect(intake.drain().count == 100)
        #expect(intake.dropped == 7900)
    }

    @Test func `one that is closed takes nothing`() {
        intake.close()
        #expect(!intake.add(1))
        #expect((intake.waiting, intake.dropped) == (0, 1))
    }
}
