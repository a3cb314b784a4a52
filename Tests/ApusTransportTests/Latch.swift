// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Opens when it was counted down; any number of tasks may wait for it.
final class Latch: Sendable {
    private struct State {
        var left: Int
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int = 1) { state = Mutex(State(left: count)) }

    func countDown() {
        let waiters = state.withLock { state in
            state.left -= 1
            guard state.left <= 0 else { return [UnsafeContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withUnsafeContinuation { waiter in
            let isOpen = state.withLock { state in
                if state.left > 0 { state.waiters.append(waiter) }
                return state.left <= 0
            }
            if isOpen { waiter.resume() }
        }
    }
}

/// A service whose one method waits until the test lets it go.
struct HeldService: Service {
    static let hold = BytesMethod(service: "test.Held", name: "Hold", kind: .unary)

    let entered: Latch
    let leave = Latch()

    /// - Parameter expected: calls after which `entered` opens.
    init(expecting expected: Int) { entered = Latch(expected) }

    var routes: [Route] {
        [
            .unary(Self.hold) { request, _ in
                entered.countDown()
                await leave.wait()
                return request
            }
        ]
    }
}

/// Waits for something that will come by itself; how long it takes does not matter.
func eventually(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
}

/// A number that many tasks change.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .acquiring) }

    /// Adds and tells the new value.
    @discardableResult
    func add(_ change: Int) -> Int { number.wrappingAdd(change, ordering: .acquiringAndReleasing).newValue }
}
