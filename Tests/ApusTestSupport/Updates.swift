// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// What a watch was told, for tests that wait for it.
package final class Updates: Sendable {
    package typealias Update = Result<[Endpoint], RPCError>

    private struct State {
        var all: [Update] = []
        var waiters: [(matches: @Sendable (Update) -> Bool, continuation: UnsafeContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var all: [Update] { state.withLock { $0.all } }
    package var last: Update? { state.withLock { $0.all.last } }
    package var count: Int { state.withLock { $0.all.count } }
    /// The ports of the last list.
    package var ports: [Int]? { last.flatMap { try? $0.get() }.map(Self.ports) }

    package func add(_ update: Update) {
        let ready = state.withLock { state in
            state.all.append(update)
            defer { state.waiters.removeAll { $0.matches(update) } }
            return state.waiters.filter { $0.matches(update) }
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Waits until the last update is a list with these ports, in any order.
    package func wait(forPorts ports: [Int]) async {
        await wait { (try? $0.get()).map { Set(Self.ports($0)) } == Set(ports) }
    }

    package func wait(for matches: @escaping @Sendable (Update) -> Bool) async {
        await withUnsafeContinuation { continuation in
            let isThere = state.withLock { state in
                if let last = state.all.last, matches(last) { return true }
                state.waiters.append((matches, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private static func ports(_ endpoints: [Endpoint]) -> [Int] {
        endpoints.compactMap { endpoint in
            guard case .host(_, let port) = endpoint.address else { return nil }
            return port
        }
    }
}
