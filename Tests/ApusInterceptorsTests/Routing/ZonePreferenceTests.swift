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

    @Test func `over ten thousand random steps the calls stay that a plain count says`() async throws {
        let (draws, random) = (SplitMixRandom(seed: 1), SplitMixRandom(seed: 2))
        script.otherwise.reply()
        var (list, share, counts) = (candidates(["b"]), 0.0, clock.now)
        let lists = ChangingList(list)
        let channel = Channel("s", interceptors: [lists, preference], transport: script)
        func isUsable(_ handle: EndpointHandle) -> Bool {
            !handle.isEjected && [.idle, .connecting, .ready].contains(handle.connectivity)
        }
        func near() -> [EndpointHandle] { list.handles.filter { $0.metadata["zone"] == "a" } }
        // Half of the zone is needed.
        func counted() -> Double {
            near().isEmpty ? 0 : min(1, 2 * Double(near().count(where: isUsable)) / Double(near().count))
        }
        var (stayed, spilled, isNew) = (0, 0, true)
        for _ in 0..<10_000 {
            clock.advance(by: .milliseconds(random.index(below: 300)))
            if random.index(below: 200) == 0 {
                list = candidates((0..<10).map { _ in random.index(below: 2) == 0 ? "a" : "b" })
                lists.change(to: list)
                isNew = true
            }
            let handle = list.handles[random.index(below: list.handles.count)]
            switch random.index(below: 6) {
            case 0: if handle.isEjected { handle.readmit() } else { handle.eject() }
            case 1: handle.connectivity = [.idle, .ready, .transientFailure][random.index(below: 3)]
            default: break
            }
            // When none works nobody counts.
            if isNew || clock.now >= counts && near().contains(where: isUsable) {
                (share, counts, isNew) = (counted(), clock.now.advanced(by: .seconds(1)), false)
            }
            let stays = near().contains(where: isUsable) && draws.unit() < share
            if !near().contains(where: isUsable) { _ = draws.unit() }
            try await channel.ask()
            #expect(script.calls.last?.candidates?.handles == (stays ? near() : list.handles))
            if stays { stayed += 1 } else { spilled += 1 }
        }
        #expect(min(stayed, spilled) > 1000)
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
