// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct ZonePreferenceTests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()

    private func candidates(_ zones: [String]) -> Candidates {
        Candidates(
            zones.enumerated().map { Endpoint(host: "127.0.0.1", port: $0, metadata: ["zone": $1]) })
    }

    /// How many of so many calls stayed in the zone.
    private func staying(_ candidates: Candidates, of calls: Int = 1000, seed: UInt64 = 1) async throws -> Int {
        script.otherwise.reply("fine")
        let preference = ZonePreference("a", random: SplitMixRandom(seed: seed), clock: clock)
        let channel = Channel("s", interceptors: [FixedCandidates(candidates), preference], transport: script)
        let before = script.calls.count
        for _ in 0..<calls { try await channel.ask() }
        return script.calls[before...].count { $0.candidates?.handles.count != candidates.handles.count }
    }

    @Test func `the share that stays falls when fewer than the minimum can be used`() {
        #expect(ZonePreference.staying(usable: 10, of: 10, minimumShare: 0.5) == 1)
        #expect(ZonePreference.staying(usable: 5, of: 10, minimumShare: 0.5) == 1)
        #expect(ZonePreference.staying(usable: 2, of: 10, minimumShare: 0.5) == 0.4)
        #expect(ZonePreference.staying(usable: 0, of: 10, minimumShare: 0.5) == 0)
        #expect(ZonePreference.staying(usable: 0, of: 0, minimumShare: 0.5) == 0)
        #expect(ZonePreference.staying(usable: 1, of: 10, minimumShare: 0) == 1)
        let random = SplitMixRandom(seed: 9)
        for _ in 0..<10_000 {
            let count = random.index(below: 100)
            let usable = random.index(below: count + 1)
            let share = ZonePreference.staying(usable: usable, of: count, minimumShare: random.unit())
            #expect((0...1).contains(share) && (usable > 0) == (share > 0))
        }
    }

    @Test func `calls stay while the zone works, spill over while it half does, and leave when it does not`()
        async throws
    {
        let all = candidates(["a", "a", "a", "a", "b", "b"])
        #expect(try await staying(all) == 1000)
        for handle in all.handles[0..<3] { handle.eject() }
        // Counted once a second.
        #expect(try await staying(all) < 1000)
        let spilled = try await staying(all, seed: 2)
        // A quarter can be used, and half is needed: half of the calls, with a standard deviation of 16.
        #expect(abs(spilled - 500) < 100, "\(spilled)")
        all.handles[3].connectivity = .transientFailure
        clock.advance(by: .seconds(2))
        #expect(try await staying(all) == 0)
        for handle in all.handles[0..<3] { handle.readmit() }
        clock.advance(by: .seconds(2))
        #expect(try await staying(all) == 1000)
    }

    @Test func `a zone without endpoints prefers none`() async throws {
        #expect(try await staying(candidates(["b", "c"])) == 0)
    }

    @Test func `over real connections the zone's servers answer`() async throws {
        let endpoints = (0..<4).map { Endpoint(.memory("server-\($0)"), metadata: ["zone": $0 < 2 ? "a" : "b"]) }
        let servers: [Served.Handler] = (0..<4).map { number in { _ in "\(number)" } }
        try await Served.run(
            servers,
            client: [FixedCandidates(Candidates(endpoints)), ZonePreference("a"), RandomBalancer()]
        ) { channel in
            var answers: Set<String> = []
            for _ in 0..<100 { answers.insert(try await channel.ask()) }
            #expect(answers == ["0", "1"])
        }
    }
}
