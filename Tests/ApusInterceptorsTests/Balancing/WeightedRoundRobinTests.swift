// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

@Suite(.timeLimit(.minutes(10))) struct WeightedRoundRobinTests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()
    private let candidates = FixedCandidates(ports: 0..<3)

    private var rules: LoadWeightRules {
        var rules = LoadWeightRules()
        rules.blackout = .seconds(2)
        rules.expiration = .seconds(30)
        return rules
    }

    private func channel(_ reports: any LoadReportSource = TextReports()) -> Channel {
        let balancer = WeightedRoundRobin(
            reports: reports, rules: rules, random: SplitMixRandom(seed: 1), clock: clock)
        return Channel("users", interceptors: [candidates, balancer], transport: script, clock: clock)
    }

    /// Each endpoint reports 100 calls a second at this utilization; none where there is none.
    private func play(_ utilizations: [Double?]) {
        let handles = candidates.candidates.handles
        script.otherwise.run { call in
            let utilization = call.endpoint.flatMap { handles.firstIndex(of: $0) }.flatMap { utilizations[$0] }
            let trailers = utilization.map { TextReports.trailers($0) } ?? Metadata()
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: trailers))
        }
    }

    /// Calls of each endpoint among so many.
    private func shares(_ channel: Channel, _ count: Int = 3000) async throws -> [Int] {
        let before = script.calls.count
        for _ in 0..<count { try await channel.ask() }
        let calls = script.calls.dropFirst(before)
        return candidates.candidates.handles.map { handle in calls.count { $0.endpoint == handle } }
    }

    @Test func `the calls converge to what the reports say, after the blackout`() async throws {
        play([0.2, 0.4, 0.8])
        let channel = channel()
        #expect(try await shares(channel) == [1000, 1000, 1000])
        clock.advance(by: .seconds(1))
        #expect(try await shares(channel) == [1000, 1000, 1000])
        clock.advance(by: .seconds(1))
        // 4 : 2 : 1
        for (share, expected) in zip(try await shares(channel, 7000), [4000, 2000, 1000]) {
            #expect(abs(share - expected) <= 40)
        }
        play([0.8, 0.4, 0.2])
        _ = try await shares(channel, 100)
        clock.advance(by: .seconds(1))
        for (share, expected) in zip(try await shares(channel, 7000), [1000, 2000, 4000]) {
            #expect(abs(share - expected) <= 40)
        }
    }

    @Test func `weights are looked at once in an update period`() async throws {
        play([0.2, 0.4, 0.8])
        let channel = channel()
        _ = try await shares(channel, 30)
        clock.advance(by: .seconds(2))
        _ = try await shares(channel, 30)
        play([0.8, 0.4, 0.2])
        clock.advance(by: .milliseconds(999))
        for (share, expected) in zip(try await shares(channel, 7000), [4000, 2000, 1000]) {
            #expect(abs(share - expected) <= 40)
        }
    }

    @Test func `an endpoint that reports nothing has the mean weight, and one report alone changes nothing`()
        async throws
    {
        play([0.2, nil, 0.6])
        let channel = channel()
        _ = try await shares(channel, 30)
        clock.advance(by: .seconds(2))
        // 3 : 2 : 1
        for (share, expected) in zip(try await shares(channel, 6000), [3000, 2000, 1000]) {
            #expect(abs(share - expected) <= 40)
        }
        play([nil, nil, 0.6])
        clock.advance(by: .seconds(29))
        _ = try await shares(channel, 30)
        clock.advance(by: .seconds(2))
        #expect(try await shares(channel) == [1000, 1000, 1000])
    }

    @Test func `reports that stopped count no more, and then not at once`() async throws {
        play([0.1, 0.9, 0.9])
        let channel = channel()
        _ = try await shares(channel, 30)
        clock.advance(by: .seconds(2))
        #expect(try await shares(channel)[0] > 2000)
        clock.advance(by: .seconds(30))
        #expect(try await shares(channel) == [1000, 1000, 1000])
        clock.advance(by: .seconds(1))
        #expect(try await shares(channel) == [1000, 1000, 1000])
        clock.advance(by: .seconds(1))
        #expect(try await shares(channel)[0] > 2000)
    }

    @Test func `the report of a stream is read at its end, and that of a failed call from its error`() async throws {
        let handles = candidates.candidates.handles
        let channel = channel()
        var streams: [ClientResponse] = []
        for _ in 0..<2 {
            let responses = ScriptedResponses()
            script.expect().reply(responses)
            streams.append(try await channel.start(.serverStreaming, .one(MessageBytes([]))))
            responses.end(trailers: TextReports.trailers(0.1))
        }
        script.expect().fail(.internal, metadata: TextReports.trailers(0.9))
        await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(handles.allSatisfy { $0.callsInFlight == 0 })
        clock.advance(by: .seconds(2))
        play([nil, nil, nil])
        let shares = try await shares(channel).sorted()
        #expect(shares[0] < 400 && shares[1] > 1200)
    }

    @Test func `reports out of band are followed once for each endpoint, and again after a back-off`() async throws {
        let reports = StreamedReports()
        play([nil, nil, nil])
        let channel = channel(reports)
        _ = try await shares(channel, 30)
        while reports.streams < 3 { await Task.yield() }
        for (handle, utilization) in zip(candidates.candidates.handles, [0.2, 0.4, 0.8]) {
            reports.send(utilization, from: handle)
        }
        while reports.received < 3 { await Task.yield() }
        clock.advance(by: .seconds(2))
        for (share, expected) in zip(try await shares(channel, 7000), [4000, 2000, 1000]) {
            #expect(abs(share - expected) <= 40)
        }
        #expect(reports.streams == 3)
        // One ends after a report: it is followed anew by the next call, and when that brings none, later.
        let ended = candidates.candidates.handles[0]
        reports.end(ended, RPCError(.unavailable, "gone"))
        // Scripted calls never wait: without the yields they could keep the stream's task from running.
        while reports.streams < 4 {
            try await channel.ask()
            await Task.yield()
        }
        reports.end(ended, RPCError(.unavailable, "gone"))
        for _ in 0..<100 {
            try await channel.ask()
            await Task.yield()
        }
        #expect(reports.streams == 4)
        while reports.streams < 5 {
            clock.advance(by: .seconds(1))
            try await channel.ask()
            await Task.yield()
        }
        // What its server does not have, it never will.
        reports.end(ended, RPCError(.unimplemented, "no"))
        for _ in 0..<100 {
            clock.advance(by: .seconds(200))
            try await channel.ask()
            await Task.yield()
        }
        #expect(reports.streams == 5)
        for handle in candidates.candidates.handles { handle.retire() }
        while reports.open > 0 { await Task.yield() }
        while candidates.candidates.handles.contains(where: { $0.retireHooks > 0 }) { await Task.yield() }
    }

    @Test func `connecting asks for no reports`() async throws {
        let balancer = WeightedRoundRobin(reports: StreamedReports(), random: SplitMixRandom(seed: 1), clock: clock)
        let candidates = Candidates([.local(1)])
        let channel = Channel(
            "users", interceptors: [RoutedCandidates(candidates: candidates), balancer], transport: script)
        try await channel.connect()
        #expect(balancer.loads.load(of: candidates.handles[0]).begins(at: clock.now))
        #expect(!balancer.loads.load(of: candidates.handles[0]).begins(at: clock.now))
    }

    @Test func `an endpoint that failed is passed over, and its turns go to all others`() async throws {
        play([nil, nil, nil])
        candidates.candidates.handles[1].connectivity = .transientFailure
        #expect(try await shares(channel()) == [1500, 0, 1500])
    }
}

struct LoadWeightTests {
    private let start = MonotonicInstant(nanoseconds: 0)

    private func report(_ calls: Double, _ cpu: Double, errors: Double = 0, application: Double = 0) -> LoadReport {
        var report = LoadReport()
        report.requestsPerSecond = calls
        report.cpuUtilization = cpu
        report.errorsPerSecond = errors
        report.applicationUtilization = application
        return report
    }

    @Test func `a weight is calls by use, and failed calls are use`() {
        #expect(LoadWeight.weight(report(100, 0.5), errorPenalty: 1) == 200)
        #expect(LoadWeight.weight(report(100, 0.5, errors: 50), errorPenalty: 1) == 100)
        #expect(LoadWeight.weight(report(100, 0.5, errors: 50), errorPenalty: 0) == 200)
        #expect(LoadWeight.weight(report(100, 0.5, application: 0.25), errorPenalty: 1) == 400)
    }

    @Test func `a report that says nonsense is no weight`() {
        let odd: [Double] = [0, -1, .nan, .infinity, -.infinity]
        for value in odd {
            #expect(LoadWeight.weight(report(value, 0.5), errorPenalty: 1) == 0)
            #expect(LoadWeight.weight(report(100, value), errorPenalty: 1) == 0)
            #expect(LoadWeight.weight(report(100, 0.5, errors: value), errorPenalty: value) >= 0)
        }
        #expect(LoadWeight.weight(report(1e308, 1e-308), errorPenalty: 1) == 0)
    }

    @Test func `over ten thousand reports a weight counts only between its blackout and its expiration`() {
        let rules = LoadWeightRules()
        let random = SplitMixRandom(seed: 1)
        var weight = LoadWeight()
        var (now, since, last) = (start, MonotonicInstant?.none, MonotonicInstant?.none)
        for _ in 0..<10_000 {
            now = now.advanced(by: .seconds(random.index(below: 10) == 0 ? 100 + random.index(below: 150) : 3))
            if let past = last, past.duration(to: now) >= rules.expiration { since = nil }
            let counts = since.map { $0.duration(to: now) >= rules.blackout } ?? false
            #expect(weight.present(at: now, rules) == (counts ? 50 : 0))
            if random.index(below: 3) > 0 {
                weight.received(report(100, 2), at: now, rules)
                (since, last) = (since ?? now, now)
            } else if random.index(below: 10) == 0 {
                weight.disconnected()
                since = nil
            }
        }
    }
}

struct StrideScheduleTests {
    @Test(arguments: [[1, 1], [1, 2, 3], [5, 1, 1, 1], [0.1, 0.2, 0.4, 0.8]])
    func `turns are taken in proportion to the weights`(_ weights: [Double]) {
        let scaled = StrideSchedule.scaled(weights)
        var counts = [Int](repeating: 0, count: weights.count)
        let rounds = 20_000
        for turn in 0..<UInt64(rounds * weights.count) {
            let index = Int(turn) % weights.count
            if StrideSchedule.isTaken(turn, of: weights.count, weight: scaled[index]) { counts[index] += 1 }
        }
        let largest = weights.max() ?? 1
        for (count, weight) in zip(counts, weights) {
            #expect(abs(Double(count) - Double(rounds) * weight / largest) <= 2)
        }
    }

    @Test func `what is not known has the mean, and nobody is far from it`() {
        #expect(StrideSchedule.scaled([0, 10, 30]) == [43_690, 21_845, 65_535])
        #expect(StrideSchedule.scaled([0, 10, 0]) == [65_535, 65_535, 65_535])
        #expect(StrideSchedule.scaled([]) == [])
        let wide = StrideSchedule.scaled([1] + [Double](repeating: 1000, count: 98) + [1_000_000])
        #expect(wide.min() == 655 || wide.min() == 656)
        #expect(StrideSchedule.scaled([1e308, 1e308]) == [65_535, 65_535])
    }

    @Test func `no one waits long for a turn, also at the end of the count`() {
        let random = SplitMixRandom(seed: 2)
        for start in [0, .max - 1_000_000] as [UInt64] {
            let scaled = StrideSchedule.scaled((0..<50).map { _ in random.unit() })
            var (passed, longest) = (0, 0)
            for turn in start..<start + 500_000 {
                let index = Int(turn % 50)
                passed = StrideSchedule.isTaken(turn, of: 50, weight: scaled[index]) ? 0 : passed + 1
                longest = max(longest, passed)
            }
            #expect(longest < 256)
        }
    }
}

/// Reports in the trailer `load`: 100 calls a second at the utilization that it says.
private struct TextReports: LoadReportSource {
    var isOutOfBand: Bool { false }

    static func trailers(_ utilization: Double) -> Metadata { ["load": "\(utilization)"] }

    static func report(_ utilization: Double) -> LoadReport {
        var report = LoadReport()
        report.requestsPerSecond = 100
        report.cpuUtilization = utilization
        return report
    }

    func report(in trailers: Metadata) -> LoadReport? { trailers["load"].flatMap(Double.init).map(Self.report) }

    func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws {}
}

/// Streams of reports that a test feeds.
private final class StreamedReports: LoadReportSource {
    private struct State {
        var feeds: [EndpointHandle: AsyncThrowingStream<Double, any Error>.Continuation] = [:]
        var streams = 0
        var open = 0
        var received = 0
    }

    private let state = Mutex(State())

    var isOutOfBand: Bool { true }
    var streams: Int { state.withLock { $0.streams } }
    var open: Int { state.withLock { $0.open } }
    var received: Int { state.withLock { $0.received } }

    func report(in trailers: Metadata) -> LoadReport? { nil }

    func send(_ utilization: Double, from handle: EndpointHandle) {
        _ = state.withLock { $0.feeds[handle] }?.yield(utilization)
    }

    func end(_ handle: EndpointHandle, _ error: RPCError) {
        state.withLock { $0.feeds[handle] }?.finish(throwing: error)
    }

    func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws {
        let (stream, feed) = AsyncThrowingStream<Double, any Error>.makeStream()
        state.withLock { state in
            state.feeds[handle] = feed
            state.streams += 1
            state.open += 1
        }
        defer { state.withLock { $0.open -= 1 } }
        for try await utilization in stream {
            receive(TextReports.report(utilization))
            state.withLock { $0.received += 1 }
        }
    }
}
