// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct SubsetTests {
    private func handles(_ ports: some Sequence<Int>) -> [EndpointHandle] {
        Candidates(ports.map { .local($0) }).handles
    }

    private func ports(_ handles: [EndpointHandle]) -> [Int] {
        handles.compactMap { if case .host(_, let port) = $0.endpoint.address { port } else { nil } }
    }

    @Test func `a client has its own choice, always the same, in the registry's order`() {
        let all = handles(0..<100)
        let mine = ports(Subset.chosen(from: all, size: 10, client: "me"))
        #expect(mine.count == 10 && mine == mine.sorted())
        #expect(mine == ports(Subset.chosen(from: all, size: 10, client: "me")))
        #expect(mine == ports(Subset.chosen(from: all.reversed(), size: 10, client: "me")).sorted())
        #expect(mine != ports(Subset.chosen(from: all, size: 10, client: "you")))
    }

    @Test func `when one goes, only those who had it change, and by one`() {
        let all = handles(0..<50)
        for client in 0..<200 {
            let before = Set(ports(Subset.chosen(from: all, size: 5, client: "c\(client)")))
            let after = Set(ports(Subset.chosen(from: all.filter { $0 != all[7] }, size: 5, client: "c\(client)")))
            #expect(before.subtracting(after) == before.intersection([7]))
            #expect(after.count == 5)
        }
    }

    @Test func `over many clients endpoints are chosen about equally often`() {
        let all = handles(0..<20)
        var counts = [Int](repeating: 0, count: 20)
        for client in 0..<10_000 {
            for port in ports(Subset.chosen(from: all, size: 4, client: "c\(client)")) { counts[port] += 1 }
        }
        // Each is chosen by a fifth of the clients: 2,000, with a standard deviation of 40.
        #expect(counts.allSatisfy { abs($0 - 2000) < 240 }, "\(counts)")
    }

    @Test func `over ten thousand comings and goings the choice changes by one at most, and only if it must`() {
        let random = SplitMixRandom(seed: 23)
        let all = handles(0..<24)
        var present = Set(0..<12)
        func choice() -> Set<Int> {
            Set(ports(Subset.chosen(from: present.sorted().map { all[$0] }, size: 6, client: "me")))
        }
        var (chosen, taken, lost) = (choice(), 0, 0)
        for _ in 0..<10_000 {
            let port = random.index(below: all.count)
            let leaves = present.remove(port) != nil
            if !leaves { present.insert(port) }
            let now = choice()
            #expect(now.count == min(6, present.count) && now.isSubset(of: present))
            if leaves {
                // Who leaves is replaced by one; who was not chosen is not missed.
                #expect(now.isSuperset(of: chosen.subtracting([port])))
                if chosen.contains(port) { lost += 1 } else { #expect(now == chosen) }
            } else {
                // Who comes displaces one, or none.
                #expect(now.isSubset(of: chosen.union([port])))
                if now.contains(port) { taken += 1 } else { #expect(now == chosen) }
            }
            chosen = now
        }
        #expect(min(taken, lost) > 1000)
    }

    @Test func `calls see the same narrowed snapshot until the list changes`() async throws {
        let script = ScriptedTransport()
        script.otherwise.reply("fine")
        let candidates = Candidates((0..<30).map { .local($0) })
        let subset = Subset(size: 3, client: "me")
        let channel = Channel("s", interceptors: [FixedCandidates(candidates), subset], transport: script)
        try await channel.ask()
        try await channel.ask()
        let seen = script.calls.compactMap(\.candidates)
        #expect(seen.count == 2 && seen[0].version == seen[1].version && seen[0].handles.count == 3)
        let few = Channel("s", interceptors: [FixedCandidates(ports: 0..<3), subset], transport: script)
        try await few.ask()
        #expect(script.calls[2].candidates?.handles.count == 3)
    }

    @Test func `over real connections only the chosen servers are called`() async throws {
        let servers: [Served.Handler] = (0..<6).map { number in { _ in "\(number)" } }
        try await Served.run(
            servers, client: [Served.endpoints(6), Subset(size: 2, client: "me"), RandomBalancer()]
        ) { channel in
            var answers: Set<String> = []
            for _ in 0..<100 { answers.insert(try await channel.ask()) }
            #expect(answers.count == 2)
        }
    }
}
