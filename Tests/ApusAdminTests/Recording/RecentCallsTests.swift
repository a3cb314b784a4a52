// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

@Suite struct RecentCallsTests {
    private let script = ScriptedTransport()
    private let clock = ManualClock()
    private let calls: RecentCalls

    init() {
        var rules = RecentCalls.Rules()
        rules.capacity = 3
        calls = RecentCalls(rules, clock: clock)
    }

    private func channel(_ interceptors: [any ClientInterceptor] = []) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, observer: calls, clock: clock)
    }

    private func answer(after time: Duration) {
        script.expect().run { [clock] _ in
            clock.advance(by: time)
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
    }

    @Test func `a call that failed is kept with its reason`() async {
        script.expect().fail(RPCError(.permissionDenied, "not you"))
        await #expect(throws: RPCError.self) { try await channel().ask() }
        let notes = calls.notes(.failed)
        #expect(notes.map(\.status) == [Status(.permissionDenied, "not you")])
        #expect(notes.map(\.target) == ["users"])
        #expect(notes.map(\.method) == ["test.Service/Unary"])
        #expect(calls.notes(.slow).isEmpty)
        #expect(calls.notes(.other).isEmpty)
    }

    @Test func `a call that took longer than half a second is slow`() async throws {
        let channel = channel()
        answer(after: .milliseconds(500))
        try await channel.ask()
        answer(after: .milliseconds(501))
        try await channel.ask()
        #expect(calls.notes(.slow).map(\.duration) == [.milliseconds(501)])
        #expect(calls.notes(.other).map(\.duration) == [.milliseconds(500)])
    }

    @Test func `of calls that went well one is kept in ten milliseconds`() async throws {
        let channel = channel()
        for _ in 0..<5 {
            answer(after: .milliseconds(4))
            try await channel.ask()
        }
        // They ended at 4, 8, 12, 16 and 20 milliseconds.
        #expect(calls.notes(.other).map { $0.ended.nanoseconds / 1_000_000 % 1000 } == [16, 4])
        #expect(calls.missed == 0)
    }

    @Test func `a call that was tried again is kept with its tries`() async throws {
        let endpoint = Endpoint(host: "10.0.0.1", port: 1)
        let retry = Retry(.exponential(), random: SplitMixRandom(seed: 1), clock: clock)
        let channel = channel([retry, PinnedEndpoint(endpoint)])
        script.expect().run { [clock] _ in
            clock.advance(by: .milliseconds(3))
            throw RPCError(.unavailable, "gone")
        }
        answer(after: .milliseconds(7))
        async let asked = channel.ask()
        await clock.waitForSleepers()
        clock.advance(by: .seconds(10))
        _ = try await asked
        let note = try #require(calls.notes(.slow).first)
        #expect(note.attempts == 2)
        #expect(note.tries.map(\.status.code) == [.unavailable, .ok])
        #expect(note.tries.map(\.status.message) == ["gone", ""])
        #expect(note.tries.map(\.duration) == [.milliseconds(3), .milliseconds(7)])
        #expect(note.tries.map(\.endpoint?.endpoint) == [endpoint, endpoint])
    }

    @Test func `a call is what it is by its end, its time and its tries`() {
        func kind(_ code: Status.Code, _ time: Duration, _ isRetried: Bool) -> RecentCalls.Kind {
            RecentCalls.kind(code, time, slow: .seconds(1), isRetried: isRetried)
        }
        #expect(kind(.internal, .seconds(2), true) == .failed)
        #expect(kind(.ok, .seconds(2), true) == .slow)
        #expect(kind(.ok, .seconds(1), true) == .retried)
        #expect(kind(.ok, .seconds(1), false) == .other)
    }

    @Test func `a call that streams is never slow`() async throws {
        let responses = ScriptedResponses()
        script.expect().reply(responses)
        let response = try await channel().start(.serverStreaming, .one(MessageBytes([])))
        clock.advance(by: .seconds(60))
        responses.end()
        #expect(calls.notes(.slow).isEmpty)
        #expect(calls.notes(.other).map(\.duration) == [.seconds(60)])
        withExtendedLifetime(response) {}
    }

    @Test func `a storm of errors leaves the newest`() async {
        let channel = channel()
        for number in 1...10 {
            script.expect().fail(RPCError(.internal, "\(number)"))
            await #expect(throws: RPCError.self) { try await channel.ask() }
        }
        #expect(calls.notes(.failed).map(\.status.message) == ["10", "9", "8"])
    }

    @Test func `a server's refusals have a list of their own, and drive out no call that failed`() {
        let peer = Endpoint.Address.host("10.0.0.9", port: 5)
        calls.serverEvent(.callRefused(method: nil, peer: peer, status: Status(.unimplemented, "no such method")))
        calls.serverEvent(.outOfDescriptors(listener: peer))
        #expect(calls.notes(.failed).isEmpty)
        #expect(calls.notes(.refused).map(\.peer) == [peer])
        #expect(calls.notes(.refused).map(\.side) == [.server])
    }
}
