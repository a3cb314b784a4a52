// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import ApusCore
import ApusTestSupport
import Testing

@Suite struct RecentEventsTests {
    private let clock = ManualClock()
    private let events: RecentEvents
    private let endpoint = Endpoint(host: "10.0.0.1", port: 7)

    init() { events = RecentEvents(capacity: 3, clock: clock) }

    private var texts: [String] { events.notes.map(\.text) }

    @Test func `what happens is told in a line, and whether one should look`() {
        events.policyEvent(.breaker(name: "b", endpoint: endpoint, method: nil, from: nil, to: .open), of: "users")
        events.policyEvent(.readmitted(endpoint))
        events.policyEvent(.configurationRefused(source: "a.json", reason: "line 3"))
        #expect(
            texts == [
                "configuration a.json was refused: line 3", "10.0.0.1:7 gets calls again",
                "users: breaker b 10.0.0.1:7 is open",
            ])
        #expect(events.notes.map(\.isWarning) == [true, false, true])
    }

    @Test func `the same thing in a row is one line with a count and the last moment`() {
        for port in 1...4 {
            clock.advance(by: .seconds(1))
            events.serverEvent(.connectionRefused(peer: .host("10.0.0.9", port: port), reason: "too many"))
        }
        #expect(events.notes.map(\.count) == [4])
        #expect(events.notes.map(\.at) == [clock.now])
    }

    @Test func `a list without endpoints is a warning`() {
        events.resolved("users", candidates: Candidates([endpoint]))
        events.resolved("users", candidates: Candidates())
        #expect(texts == ["users has 0 endpoints", "users has 1 endpoint"])
        #expect(events.notes.map(\.isWarning) == [true, false])
    }

    @Test func `of connections their beginning, their end and their failure are told`() {
        events.connectivityChanged(endpoint, from: .idle, to: .connecting)
        #expect(texts.isEmpty)
        events.connectivityChanged(endpoint, from: .connecting, to: .ready)
        events.connectivityChanged(endpoint, from: .ready, to: .idle)
        events.connectivityChanged(endpoint, from: .connecting, to: .transientFailure)
        #expect(
            texts == [
                "10.0.0.1:7 cannot be reached", "the connection to 10.0.0.1:7 has ended", "10.0.0.1:7 is connected",
            ])
    }

    @Test func `calls that were refused are not told twice`() {
        events.serverEvent(.callRefused(method: nil, peer: endpoint.address, status: Status(.unimplemented, "")))
        #expect(texts.isEmpty)
    }

    @Test func `only the newest stay`() {
        for number in 1...5 { events.policyEvent(.configurationApplied(source: "\(number)")) }
        #expect(texts.first == "configuration 5 is in force")
        #expect(texts.count == 3)
    }
}
