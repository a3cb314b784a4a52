// SPDX-License-Identifier: Apache-2.0

import Apus
import Figures
import Testing

@testable import ShopDrill

/// Real calls over an in-memory network, seen by a witness.
@Suite struct WitnessTests {
    struct Echo: Service {
        static let method = Method<BytesCodec, BytesCodec>(service: "test.Echo", name: "Echo", kind: .unary)
        var routes: [Route] { [.unary(Self.method) { bytes, _ in bytes }] }
    }

    let network = InMemoryNetwork()
    let registry = InMemoryRegistry()
    let instances = Instance.all(of: "echo", count: 3)
    let ledger: Ledger

    init() { ledger = Ledger(instances) }

    func serve(_ instance: Instance) async throws -> RunningServer {
        let endpoint = Endpoint(.memory(instance.name), metadata: ["instance": instance.name, "pid": "1"])
        _ = try await registry.register(ServiceInstance(service: "echo", id: instance.name, endpoint: endpoint))
        return try network.start(try Server([Echo()]), as: instance.name)
    }

    func call(_ count: Int, random: any RandomSource) async throws {
        let witness = Witness(ledger)
        let channel = Channel(
            "echo",
            interceptors: [
                Retry(.exponential(initial: .zero)), Discovery(registry), witness, RandomBalancer(random: random),
            ], transport: network.transport(), observer: witness)
        for _ in 0..<count { _ = try await channel.unary(Echo.method, MessageBytes([1])) }
    }

    @Test func `fair picks pass and are counted at their instances`() async throws {
        var running: [RunningServer] = []
        for instance in instances { running.append(try await serve(instance)) }
        try await call(600, random: SplitMixRandom(seed: 1))
        let tally = try #require(ledger.tallies["echo"])
        #expect(tally.tested == 600)
        #expect(tally.uniformity.probability > 1e-6)
        let rows = ledger.snapshot.rows
        #expect(rows.map { $0.latency.count }.reduce(0, +) == 600)
        #expect(rows.allSatisfy { $0.totalPicks > 100 && abs(($0.due[.before] ?? 0) - 200) < 1e-6 })
        _ = running
    }

    @Test func `loaded dice do not pass`() async throws {
        var running: [RunningServer] = []
        for instance in instances { running.append(try await serve(instance)) }
        try await call(600, random: LoadedDice(SplitMixRandom(seed: 1)))
        #expect(try #require(ledger.tallies["echo"]).uniformity.probability < 1e-6)
        _ = running
    }

    @Test func `an instance that cannot be reached costs one error and is not judged`() async throws {
        var running: [RunningServer] = []
        for instance in instances { running.append(try await serve(instance)) }
        running.removeLast().stopNow()
        try await call(600, random: SplitMixRandom(seed: 1))
        let tally = try #require(ledger.tallies["echo"])
        #expect(tally.uniformity.probability > 1e-6)
        #expect(tally.unreachable == 0 && tally.foreign == 0)
        let snapshot = ledger.snapshot
        #expect(snapshot.retries >= 1)
        #expect(snapshot.rows.map(\.errors) == [0, 0, snapshot.retries])
        #expect(snapshot.rows[2].totalPicks < 30)
    }
}
