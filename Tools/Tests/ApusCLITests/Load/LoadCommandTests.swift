// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Testing

@testable import ApusCLI

struct LoadCommandTests {
    private func plan(_ words: String...) throws -> LoadPlan { try LoadCommand.parse([":1", "a.B/C"] + words).plan }

    @Test func `without a rate 16 lanes make calls for ten seconds`() throws {
        #expect(
            try plan() == LoadPlan(lanes: 16, rate: nil, ramp: .zero, warmUp: .zero, duration: .seconds(10)))
    }

    @Test func `every flag is in the plan`() throws {
        #expect(
            try plan("--rate", "250.5", "--ramp", "2s", "--warm-up", "500ms", "--duration", "1m", "-c", "9")
                == LoadPlan(
                    lanes: 9, rate: 250.5, ramp: .seconds(2), warmUp: .milliseconds(500), duration: .seconds(60)))
        #expect(try plan("--rate", "1").lanes == 512)
    }

    @Test(arguments: [
        ["--rate", "0"], ["--rate", "-1"], ["--rate", "nan"], ["--rate", "1e99"], ["-c", "0"], ["-c", "1000000"],
        ["--connections", "0"], ["--connections", "5000"], ["--duration", "0s"],
    ])
    func `what makes no sense is refused`(words: [String]) {
        #expect(throws: (any Error).self) { try LoadCommand.parse([":1", "a.B/C"] + words) }
    }
}
