// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusEtcd
import ApusTestSupport
import ApusTransport
import Synchronization
import Testing

/// Lines that a registry complained with.
final class Problems: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

extension EtcdOptions {
    /// For tests, whose machine may be slow.
    static var patient: EtcdOptions {
        var options = EtcdOptions()
        options.timeout = .seconds(600)
        return options
    }
}

/// As if it were one process: a registry with a clock of its own.
struct EtcdMember {
    let clock = ManualClock()
    let problems = Problems()
    let registry: EtcdRegistry

    init(_ network: InMemoryNetwork, members: [String] = ["etcd"], options: EtcdOptions = .patient) {
        let problems = problems
        registry = EtcdRegistry(
            members.map { .memory($0) }, options: options, transport: network.transport(), clock: clock,
            random: SplitMixRandom(seed: 1), onProblem: { problems.add($0) })
    }

    func register(_ port: Int, service: String = "users") async throws -> Registration {
        try await registry.register(ServiceInstance(service: service, id: "i\(port)", endpoint: .local(port)))
    }

    func watch(_ service: String = "users") -> (watch: RegistryWatch, updates: Updates) {
        let updates = Updates()
        return (registry.watch(service) { updates.add($0) }, updates)
    }

    /// Waits until the registry waits for its clock, and turns it.
    func advance(by duration: Duration = .seconds(10)) async {
        await clock.waitForSleepers()
        clock.advance(by: duration)
    }
}

/// Two processes that share an etcd in memory.
struct EtcdPair {
    let network = InMemoryNetwork()
    let etcd = ScriptedEtcd()
    let running: RunningServer
    let a: EtcdMember
    let b: EtcdMember

    /// Runs `body`, and checks that nothing is left of either in etcd.
    static func run(options: EtcdOptions = .patient, _ body: (EtcdPair) async throws -> Void) async throws {
        let pair = try EtcdPair(options)
        try await body(pair)
        pair.etcd.refuse(nil)
        await pair.a.registry.close()
        await pair.b.registry.close()
        // A handler hears of its call's end a moment later.
        while pair.running.counts.handlers > 0 { await Task.yield() }
        await pair.running.stop(grace: .zero)
        #expect(pair.etcd.store.withLock { $0.watches.isEmpty })
        #expect(pair.running.counts.connections == 0)
        #expect(pair.running.counts.handlers == 0)
    }

    private init(_ options: EtcdOptions) throws {
        running = try network.start(Server(etcd.services), as: "etcd")
        a = EtcdMember(network, members: ["absent", "etcd"], options: options)
        b = EtcdMember(network, options: options)
    }
}
