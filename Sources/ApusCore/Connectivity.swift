// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a channel knows of its way to a service, from all of its ways to endpoints, and who watches it.
///
/// Ready while one way is ready; else connecting while one is being made; else idle while one could be made; else in
/// transient failure. Source: gRPC connectivity semantics, and the rule by which its balancers aggregate.
package final class Connectivity: Sendable {
    private struct State {
        // Ways by their state's raw value.
        var ways = [Int](repeating: 0, count: 5)
        var isShutdown = false
        var current = ConnectivityState.idle
        var watchers: [UInt64: AsyncStream<ConnectivityState>.Continuation] = [:]
        var lastID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let named = Mutex("")
    private let told = Mutex<(any Observer)?>(nil)

    /// Who is told of the changes of each way: the channel's observer, from before its first way on.
    package var observer: (any Observer)? {
        get { told.withLock { $0 } }
        set { told.withLock { $0 = newValue } }
    }

    /// What the channel's calls are for: its name, from before its first way on.
    package var target: String {
        get { named.withLock { $0 } }
        set { named.withLock { $0 = newValue } }
    }

    /// No ways: idle.
    package init() {}

    /// What is known now.
    package var current: ConnectivityState { state.withLock { $0.current } }

    /// There is another way.
    package func added(_ way: ConnectivityState) { update { $0.ways[Int(way.rawValue)] += 1 } }

    /// A way is no more.
    package func removed(_ way: ConnectivityState) { update { $0.ways[Int(way.rawValue)] -= 1 } }

    /// A way has changed.
    package func changed(from old: ConnectivityState, to new: ConnectivityState) {
        update { state in
            state.ways[Int(old.rawValue)] -= 1
            state.ways[Int(new.rawValue)] += 1
        }
    }

    /// The channel is closed.
    package func shutDown() { update { $0.isShutdown = true } }

    // Under the lock: the order of states that watchers see is the order of changes. Yielding calls nobody back.
    private func update(_ change: (inout State) -> Void) {
        let ended = state.withLock { state -> [AsyncStream<ConnectivityState>.Continuation] in
            change(&state)
            let new = Self.aggregate(state)
            guard new != state.current else { return [] }
            state.current = new
            for watcher in state.watchers.values { watcher.yield(new) }
            guard new == .shutdown else { return [] }
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        // Outside of the lock: an end calls back.
        for watcher in ended { watcher.finish() }
    }

    private static func aggregate(_ state: State) -> ConnectivityState {
        if state.isShutdown { return .shutdown }
        let order: [ConnectivityState] = [.ready, .connecting, .idle, .transientFailure]
        return order.first { state.ways[Int($0.rawValue)] > 0 } ?? .idle
    }

    // What a slow watcher may lag behind.
    private static let lag = 16

    /// The present state, then every change, until shutdown or until the watcher's task is cancelled.
    package func watch() -> AsyncStream<ConnectivityState> {
        let (stream, watcher) = AsyncStream.makeStream(
            of: ConnectivityState.self, bufferingPolicy: .bufferingNewest(Self.lag))
        let (id, isOver) = state.withLock { state in
            watcher.yield(state.current)
            state.lastID += 1
            if state.current != .shutdown { state.watchers[state.lastID] = watcher }
            return (state.lastID, state.current == .shutdown)
        }
        watcher.onTermination = { [weak self] _ in self?.state.withLock { $0.watchers[id] = nil } }
        if isOver { watcher.finish() }
        return stream
    }

    /// Who watches.
    package var watchers: Int { state.withLock { $0.watchers.count } }
}

/// The states of a channel, one after the other: see ``Channel/states``.
public struct ConnectivityStates: AsyncSequence, Sendable {
    /// A state.
    public typealias Element = ConnectivityState

    private let stream: AsyncStream<ConnectivityState>

    init(_ stream: AsyncStream<ConnectivityState>) { self.stream = stream }

    /// An iterator over the states.
    public func makeAsyncIterator() -> Iterator { Iterator(inner: stream.makeAsyncIterator()) }

    /// Waits for one state after the other.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var inner: AsyncStream<ConnectivityState>.Iterator

        /// The next state; nil after shutdown, or when the task was cancelled.
        public mutating func next() async -> ConnectivityState? { await inner.next(isolation: #isolation) }

        /// The next state; nil after shutdown, or when the task was cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ConnectivityState? {
            await inner.next(isolation: actor)
        }
    }
}
