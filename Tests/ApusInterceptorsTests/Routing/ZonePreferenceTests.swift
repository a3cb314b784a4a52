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

    /// How many of a thousand calls stayed in the zone.
    private func staying(_ candidates: Candidates, _ preference: ZonePreference) async throws -> Int {
        script.otherwise.reply("fine")
        let channel = Channel("s", interceptors: [FixedCandidates(candidates), preference], transport: script)
        let before = script.calls.count
        for _ in 0..<1000 { try await channel.ask() }
        let local = script.calls[before...].compactMap(\.candidates).filter { $0.version != candidates.version }
        #expect(Set(local.map(\.version)).count <= 1)
        return local.count
    }

    private var preference: ZonePreference { ZonePreference("a", random: SplitMixRandom(seed: 1), clock: clock) }

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
        let preference = preference
        #expect(try await staying(all, preference) == 1000)
        for handle in all.handles[0..<3] { handle.eject() }
        // Counted once a second.
        #expect(try await staying(all, preference) == 1000)
        clock.advance(by: .seconds(1))
        let spilled = try await staying(all, preference)
        // A quarter can be used, and half is needed: half of the calls, with a standard deviation of 16.
        #expect(abs(spilled - 500) < 100, "\(spilled)")
        // That none works is seen at once.
        all.handles[3].connectivity = .transientFailure
        #expect(try await staying(all, preference) == 0)
        for handle in all.handles[0..<3] { handle.readmit() }
        clock.advance(by: .seconds(1))
        #expect(try await staying(all, preference) == 1000)
    }

    @Test func `no call leaves a zone that works, however many see its list first`() async throws {
        script.otherwise.reply("fine")
        for _ in 0..<50 {
            let all = candidates(Array(repeating: "a", count: 99) + ["b"])
            let channel = Channel("s", interceptors: [FixedCandidates(all), preference], transport: script)
            let before = script.calls.count
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try? await channel.ask() } }
            }
            #expect(script.calls[before...].allSatisfy { $0.candidates?.handles.count == 99 })
        }
    }

    @Test func `a zone without endpoints prefers none`() async throws {
        #expect(try await staying(candidates(["b", "c"]), preference) == 0)
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
