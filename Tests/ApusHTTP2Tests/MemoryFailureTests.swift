// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import ApusTestSupport
import Testing

@Suite struct MemoryFailureTests {
    struct Scarcity: Sendable, CustomTestStringConvertible {
        var role: HTTP2Settings.Role
        /// Whether memory stays out once it was.
        var stays: Bool
        var testDescription: String { "\(role), \(stays ? "out for good" : "out once")" }

        static let all = [
            Self(role: .server, stays: false), Self(role: .server, stays: true),
            Self(role: .client, stays: false), Self(role: .client, stays: true),
        ]
    }

    /// A life of a connection: calls, a reset, a ping, a graceful end.
    private func live(_ pair: SessionPair, _ calls: inout [RecordedStream]) throws {
        pair.server.onFields = { stream in
            stream.outgoing = Array(repeating: 7, count: 40_000)
            stream.ends = true
            stream.lastWords = SessionPair.trailers("0")
            pair.server.session.submitResponse(SessionPair.ok, stream: stream)
        }
        calls.append(try pair.request([1, 2, 3]))
        try pair.exchange()
        calls.append(try pair.request(Array(repeating: 1, count: 70_000)))
        pair.client.session.submitPing(7)
        try pair.exchange()
        let third = try pair.request(ends: false)
        calls.append(third)
        try pair.exchange()
        pair.client.session.reset(third, code: HTTP2ErrorCode.cancel)
        pair.server.session.submitShutdownNotice()
        try pair.exchange()
        pair.server.session.submitGoAway()
        try pair.exchange()
    }

    /// What became of a connection: the error of an end, if one came, and whether all calls went as they should or
    /// a session had ended by itself.
    private func outcome(_ role: HTTP2Settings.Role, _ memory: ScarceMemory) -> (error: (any Error)?, isRight: Bool) {
        var calls: [RecordedStream] = []
        do {
            let pair = try SessionPair(
                clientMemory: role == .client ? memory : nil, serverMemory: role == .server ? memory : nil)
            defer {
                pair.client.session.close()
                pair.server.session.close()
                #expect((pair.server.streams + calls).allSatisfy { $0.closeCode != nil })
            }
            try live(pair, &calls)
            let isFinished = pair.client.session.isFinished || pair.server.session.isFinished
            return (nil, isFinished || calls.map(\.closeCode) == [0, 0, HTTP2ErrorCode.cancel])
        } catch {
            return (error, false)
        }
    }

    @Test(arguments: Scarcity.all) func `a session that gets no memory ends with an error, whenever that is`(
        _ scarcity: Scarcity
    ) {
        for allocation in 0..<100_000 {
            let memory = ScarceMemory(failing: allocation, stays: scarcity.stays)
            let (error, isRight) = outcome(scarcity.role, memory)
            #expect(memory.strangeReleases == 0, "allocation \(allocation)")
            if let error {
                #expect("\(error)" == "Out of memory")
            } else {
                #expect(isRight && memory.blocks.isEmpty, "allocation \(allocation)")
            }
            if !memory.wasOut { return #expect(allocation > 25) }
        }
        Issue.record("memory was out each time")
    }
}
