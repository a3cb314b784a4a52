// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTelemetry

@Suite struct StripedCellsTests {
    private final class Shared: Sendable {
        let cells = StripedCells(3, stripes: 8)
    }

    @Test func `what many tasks add is neither lost nor counted twice`() async {
        let shared = Shared()
        await withTaskGroup { group in
            for task in 0..<16 {
                group.addTask {
                    for _ in 0..<1000 {
                        shared.cells.add(1, at: 0)
                        shared.cells.count(at: 1, adding: task, at: 2)
                    }
                }
            }
        }
        #expect(shared.cells.sums == [16_000, 16_000, 1000 * 120])
    }

    @Test func `a single copy counts all by itself`() {
        let cells = StripedCells(9, stripes: 1)
        for index in 0..<9 { cells.add(index, at: index) }
        #expect(cells.sums == Array(0..<9))
    }
}
