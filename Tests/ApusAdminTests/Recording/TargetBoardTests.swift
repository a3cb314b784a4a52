// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import ApusCore
import Testing

@Suite struct TargetBoardTests {
    private func list(_ port: Int) -> Candidates { Candidates([Endpoint(host: "10.0.0.1", port: port)]) }

    private func ports(_ board: TargetBoard) -> [String: [Endpoint.Address]] {
        board.handles.mapValues { $0.map(\.address) }
    }

    @Test func `the last list of each service is kept, of so many services`() {
        let board = TargetBoard(limit: 2)
        let first = list(1)
        board.resolved("a", from: nil, to: first)
        board.resolved("b", from: nil, to: list(2))
        board.resolved("c", from: nil, to: list(3))
        board.resolved("a", from: first, to: list(4))
        #expect(ports(board) == ["a": [.host("10.0.0.1", port: 4)], "b": [.host("10.0.0.1", port: 2)]])
    }

    @Test func `two channels of one service have a list each, and one that closes takes its own away`() {
        let board = TargetBoard()
        let (first, second) = (list(1), list(2))
        board.resolved("a", from: nil, to: first)
        board.resolved("a", from: nil, to: second)
        #expect(ports(board)["a"]?.count == 2)
        board.resolved("a", from: first, to: nil)
        #expect(ports(board) == ["a": [.host("10.0.0.1", port: 2)]])
        board.resolved("a", from: second, to: nil)
        #expect(board.handles.isEmpty)
    }
}
