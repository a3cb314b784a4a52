// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusTestSupport
import Synchronization

/// Lines that a registry complained with.
final class Problems: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// As if it were one process: a registry with clocks of its own.
struct Member {
    let clock = ManualClock()
    let problems = Problems()
    let registry: DirectoryRegistry

    init(_ path: String, lease: Duration = .seconds(10)) {
        let clock = clock
        let problems = problems
        registry = DirectoryRegistry(
            path: path, lease: lease,
            clock: LeaseClock(monotonic: clock, wall: { 1_700_000_000_000_000_000 + clock.now.nanoseconds }),
            onProblem: { problems.add($0) })
    }

    func register(_ port: Int, service: String = "users") async throws -> Registration {
        try await registry.register(
            ServiceInstance(service: service, id: "i\(port)", endpoint: .local(port)))
    }

    func watch(_ service: String = "users") -> (watch: RegistryWatch, updates: Updates) {
        let updates = Updates()
        return (registry.watch(service) { updates.add($0) }, updates)
    }

    func advance(by duration: Duration) async {
        clock.advance(by: duration)
        await registry.settle()
    }
}
