// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import ApusCore
import Testing

@Suite struct TargetBoardTests {
    @Test func `the last list of each service is kept, of so many services`() {
        let board = TargetBoard(limit: 2)
        for (number, target) in ["a", "b", "c", "a"].enumerated() {
            board.resolved(target, candidates: Candidates([Endpoint(host: "10.0.0.1", port: number + 1)]))
        }
        let ports = board.candidates.mapValues { $0.handles.map(\.endpoint.address) }
        #expect(ports == ["a": [.host("10.0.0.1", port: 4)], "b": [.host("10.0.0.1", port: 2)]])
    }
}
