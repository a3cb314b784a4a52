// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

struct OutlierEjectionTests {
    let clock = ManualClock()
    let script = ScriptedTransport()

    private func rules(inRow: Int?) -> OutlierRules {
        var rules = OutlierRules()
        rules.consecutiveFailures = inRow
        rules.failurePercentage?.minimumCalls = 10
        return rules
    }

    private func channel(_ candidates: FixedCandidates, _ ejection: OutlierEjection) -> Channel {
        Channel(
            "users", interceptors: [candidates, RandomBalancer(random: SplitMixRandom(seed: 9)), ejection],
            transport: script, clock: clock)
    }

    /// The first endpoint fails, the others answer.
    private func play(_ bad: EndpointHandle) {
        script.otherwise.run { call in
            if call.endpoint == bad { throw RPCError(.internal, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
    }

    private func failures(_ channel: Channel, of calls: Int) async -> Int {
        var failures = 0
        for _ in 0..<calls {
            do { try await channel.ask() } catch { failures += 1 }
        }
        return failures
    }

    @Test func `failures in a row keep calls away until the ejection is over`() async throws {
        let candidates = FixedCandidates(ports: 1..<6)
        let bad = candidates.candidates.handles[0]
        play(bad)
        let channel = channel(candidates, OutlierEjection(rules: rules(inRow: 5), clock: clock))
        #expect(await failures(channel, of: 200) == 5)
        #expect(bad.isEjected)
        await clock.waitForSleepers()
        clock.advance(by: .seconds(30))
        while bad.isEjected { await Task.yield() }
        #expect(await failures(channel, of: 200) == 5)
        #expect(bad.isEjected)
    }

    @Test func `the share of failures in an interval ejects`() async throws {
        let candidates = FixedCandidates(ports: 1..<6)
        let bad = candidates.candidates.handles[0]
        play(bad)
        let channel = channel(candidates, OutlierEjection(rules: rules(inRow: nil), clock: clock))
        #expect(await failures(channel, of: 200) > 10)
        #expect(!bad.isEjected)
        clock.advance(by: .seconds(10))
        #expect(await failures(channel, of: 200) <= 1)
        #expect(candidates.candidates.handles.filter(\.isEjected) == [bad])
    }

    @Test func `calls with different candidates eject the bad one of each list`() async throws {
        let lists = [FixedCandidates(ports: 1..<6), FixedCandidates(ports: 11..<16)]
        let bad = lists.map { $0.candidates.handles[0] }
        script.otherwise.run { call in
            if bad.contains(where: { $0 == call.endpoint }) { throw RPCError(.internal, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        // One policy, as in a channel whose routing gives each call its part of the service.
        let ejection = OutlierEjection(rules: rules(inRow: nil), clock: clock)
        let channels = lists.map { channel($0, ejection) }
        for interval in 0..<5 {
            while interval == 4, bad.contains(where: \.isEjected) { await Task.yield() }
            for channel in channels { _ = await failures(channel, of: 200) }
            let ejected = lists.map { $0.candidates.handles.filter(\.isEjected) }
            // Counted in the first interval, seen at the beginning of the second, ejected for three.
            #expect(ejected == ((1...3).contains(interval) ? bad.map { [$0] } : [[], []]))
            while clock.sleepers < ejected.joined().count { await Task.yield() }
            clock.advance(by: .seconds(10))
        }
    }

    @Test(arguments: [false, true])
    func `lists that overlap share an interval's counts, whichever is used first`(nearFirst: Bool) async throws {
        // A zone of five, and all that there is; what is wrong is in the larger list alone, then in the smaller one.
        for badPlace in [5, 0] {
            let all = Candidates((1..<7).map { .local($0) })
            let near = Candidates(handles: Array(all.handles.prefix(5)))
            let bad = all.handles[badPlace]
            let script = ScriptedTransport()
            script.otherwise.run { call in
                if call.endpoint == bad { throw RPCError(.internal, "broken") }
                return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
            }
            let ejection = OutlierEjection(rules: rules(inRow: nil), clock: clock)
            let channels = (nearFirst ? [near, all] : [all, near]).map { list in
                Channel(
                    "users", interceptors: [FixedCandidates(list), RoundRobin(), ejection], transport: script,
                    clock: clock)
            }
            for channel in channels { _ = await failures(channel, of: 120) }
            #expect(!bad.isEjected)
            clock.advance(by: .seconds(10))
            // The first call of each after the interval.
            for channel in channels { _ = await failures(channel, of: 1) }
            #expect(all.handles.filter(\.isEjected) == [bad])
        }
    }

    @Test func `a list that discovery has replaced is judged no more`() async throws {
        // Ten, of which two are left; the old list would let five be ejected, the new one a single one.
        let old = Candidates((1..<11).map { .local($0) })
        let new = Candidates(handles: Array(old.handles.prefix(2)))
        script.otherwise.fail(.internal)
        var rules = rules(inRow: nil)
        rules.maximumEjectedPercent = 50
        rules.failurePercentage?.minimumHosts = 1
        let ejection = OutlierEjection(rules: rules, clock: clock)
        for (list, calls) in [(old, 10), (new, 40), (new, 1)] {
            let channel = Channel(
                "users", interceptors: [FixedCandidates(list), RoundRobin(), ejection], transport: script, clock: clock)
            #expect(await failures(channel, of: calls) == calls)
            clock.advance(by: .seconds(10))
        }
        #expect(old.handles.count(where: \.isEjected) == 1)
    }

    @Test func `a policy that is released readmits what it ejected`() async throws {
        let candidates = FixedCandidates(ports: 1..<6)
        let bad = candidates.candidates.handles[0]
        play(bad)
        do {
            let channel = channel(candidates, OutlierEjection(rules: rules(inRow: 5), clock: clock))
            _ = await failures(channel, of: 200)
            #expect(bad.isEjected)
        }
        while bad.isEjected { await Task.yield() }
        #expect(clock.sleepers == 0)
    }

    @Test func `codes that speak against the request eject nobody`() async throws {
        let candidates = FixedCandidates(ports: 1..<6)
        script.otherwise.fail(.notFound)
        let channel = channel(candidates, OutlierEjection(rules: rules(inRow: 5), clock: clock))
        _ = await failures(channel, of: 100)
        #expect(candidates.candidates.handles.filter(\.isEjected).isEmpty)
    }

    @Test func `over real connections a server that fails is left, and the others answer`() async throws {
        let asked = Count()
        let bad: Served.Handler = { _ in
            asked.add()
            throw RPCError(.unknown, "broken")
        }
        let good: Served.Handler = { _ in "good" }
        let client: [any ClientInterceptor] = [
            Served.endpoints(5), RandomBalancer(), OutlierEjection(rules: rules(inRow: 3), clock: clock),
        ]
        try await Served.run([bad, good, good, good, good], client: client) { channel in
            #expect(await failures(channel, of: 200) == 3)
            #expect(asked.value == 3)
        }
    }
}
