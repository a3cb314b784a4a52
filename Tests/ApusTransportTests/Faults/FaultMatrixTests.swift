// SPDX-License-Identifier: Apache-2.0

import Testing

/// Each kind of call, each point of its bytes in either direction, each fault: the call ends as it must on both sides,
/// the channel comes back, and nothing is left. Three seeds: in three orders.
@Suite struct FaultMatrixTests {
    @Test(arguments: CallKind.allCases, Fault.allCases)
    func `a fault at any point of a call ends it rightly on both sides`(_ kind: CallKind, _ fault: Fault) async throws {
        let cases = FaultCase.all(kind, fault)
        #expect(cases.count >= 20)
        let problems = try await script {
            try (1...3).flatMap { seed in try cases.flatMap { try FaultRun.problems($0, seed: seed) } }
        }
        #expect(problems == [])
    }
}
