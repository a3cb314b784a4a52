// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Finds the endpoints of the service that a call is for: its target becomes candidates for a balancer.
///
/// The first call for a name starts a watch and waits for its answer; later calls take the newest list and never
/// wait. Endpoints that stay keep their connections, those that left finish their calls. A registry that fails leaves
/// the last good list in place.
public final class Discovery: RoutingInterceptor {
    private struct State {
        /// The target that was asked for last, and its list if it is not empty: what most calls need.
        var recent: (target: String, candidates: Candidates)?
        var targets: [String: DiscoveredTarget] = [:]
    }

    private let registry: any Registry
    private let patience: Duration
    private let clock: any MonotonicClock
    private let state = Mutex(State())

    /// Discovery in a registry.
    ///
    /// - Parameters:
    ///   - patience: how long a call waits for the registry's first answer; its deadline may end it earlier.
    ///   - clock: the clock of the channel.
    public init(
        _ registry: any Registry, patience: Duration = .seconds(5), clock: any MonotonicClock = SystemClock()
    ) {
        self.registry = registry
        self.patience = patience
        self.clock = clock
    }

    /// Adds the candidates.
    ///
    /// - Throws: with nothing sent: UNAVAILABLE when nobody serves the target or the registry does not answer (a call
    ///   that waits for ready waits on instead), DEADLINE_EXCEEDED, CANCELLED.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        let target = call.target
        if let candidates = known(target) {
            call.candidates = candidates
        } else {
            call.candidates = try await awaited(call, next)
        }
        do {
            return try await next(call)
        } catch {
            if let error = error as? RPCError, error.progress == .notConnected, error.code == .unavailable {
                reachedNobody(target)
            }
            throw error
        }
    }

    // The list may be out of date.
    private func reachedNobody(_ target: String) { state.withLock { $0.targets[target]?.watch }?.refresh() }

    private func known(_ target: String) -> Candidates? {
        state.withLock { state in
            if let recent = state.recent, recent.target == target { return recent.candidates }
            guard case .found(let candidates) = state.targets[target]?.answer else { return nil }
            state.recent = (target, candidates)
            return candidates
        }
    }

    private func awaited(_ call: ClientCall, _ next: ClientNext) async throws(RPCError) -> Candidates {
        startWatch(call.target, observer: call.observer, next)
        let limit = call.waitForReady ? .none : CallDeadline(at: clock.now.advanced(by: patience))
        while true {
            let (answer, changes) = state.withLock { state in
                let target = state.targets[call.target]
                return (target?.answer ?? .pending, target?.changes ?? Signal())
            }
            switch answer {
            case .found(let candidates): return candidates
            case .failed(let error) where !call.waitForReady: throw error
            case .pending, .failed: try await wait(for: changes, min(limit, call.deadline), call)
            }
        }
    }

    private func wait(for changes: Signal, _ limit: CallDeadline, _ call: ClientCall) async throws(RPCError) {
        switch await changes.wait(until: limit, clock: clock) {
        case .fired: return
        case .cancelled:
            throw RPCError(.cancelled, "the calling task was cancelled while it waited for discovery")
        case .late where call.deadline.hasPassed(at: clock.now):
            throw CallDeadline.exceeded("while discovery looked for '\(call.target)'", progress: .notConnected)
        case .late:
            throw RPCError(
                .unavailable, "the registry gave no answer about '\(call.target)' within \(patience)",
                progress: .notConnected)
        }
    }

    private func startWatch(_ target: String, observer: (any Observer)?, _ next: ClientNext) {
        let isNew = state.withLock { state in
            guard state.targets[target] == nil else { return false }
            state.targets[target] = DiscoveredTarget()
            return true
        }
        guard isNew else { return }
        let watch = registry.watch(target) { [weak self] update in
            self?.receive(update, for: target, observer: observer)
        }
        state.withLock { $0.targets[target]?.watch = watch }
        guard let observer else { return }
        next.onClose { [weak self] in self?.closed(target, observer) }
    }

    // Its list is nobody's any more.
    private func closed(_ target: String, _ observer: any Observer) {
        guard let last = state.withLock({ $0.targets[target]?.close() }) else { return }
        observer.resolved(target, from: last, to: nil)
    }

    private func receive(_ update: Result<[Endpoint], RPCError>, for target: String, observer: (any Observer)?) {
        let (news, signal) = state.withLock { state -> (DiscoveredTarget.News?, Signal?) in
            let news = state.targets[target]?.receive(update, target)
            if state.recent?.target == target { state.recent = nil }
            return (news, state.targets[target]?.renewSignal())
        }
        signal?.fire()
        guard let news else { return }
        for handle in news.removed { handle.retire() }
        if news.isTold { observer?.resolved(target, from: news.old, to: news.candidates) }
    }
}

/// What discovery knows of one name.
struct DiscoveredTarget {
    enum Answer {
        case pending
        case found(Candidates)
        case failed(RPCError)
    }

    struct News {
        let old: Candidates?
        let candidates: Candidates
        let removed: [EndpointHandle]
        /// Whether anybody wants to know.
        let isTold: Bool
    }

    private(set) var answer = Answer.pending
    private(set) var changes = Signal()
    var watch: RegistryWatch?
    private var candidates: Candidates?
    private var isClosed = false

    /// Takes an update in.
    ///
    /// - Returns: the new candidates and the handles that left; nil when the registry has failed.
    mutating func receive(_ update: Result<[Endpoint], RPCError>, _ target: String) -> News? {
        switch update {
        case .success(let endpoints):
            let old = candidates
            let (new, removed) = (old ?? Candidates(handles: [])).updated(to: endpoints)
            candidates = new
            answer = endpoints.isEmpty ? .failed(Self.nobody(target)) : .found(new)
            return News(old: old, candidates: new, removed: removed, isTold: !isClosed)
        case .failure(let error):
            if candidates == nil { answer = .failed(Self.unreadable(target, error)) }
            return nil
        }
    }

    /// The channel that asked first has closed.
    ///
    /// - Returns: the list that was told last.
    mutating func close() -> Candidates? {
        defer { isClosed = true }
        return isClosed ? nil : candidates
    }

    /// The signal for those who waited for a change; the next change has a new one.
    mutating func renewSignal() -> Signal {
        defer { changes = Signal() }
        return changes
    }

    private static func nobody(_ target: String) -> RPCError {
        RPCError(
            .unavailable,
            "nobody serves '\(target)' in this registry: start an instance that registers this name, or check the name",
            progress: .notConnected)
    }

    private static func unreadable(_ target: String, _ error: RPCError) -> RPCError {
        RPCError(
            .unavailable, "discovery of '\(target)' failed: \(error.message)", progress: .notConnected,
            cause: error.cause)
    }
}

extension Discovery: DescribedPolicy {
    /// Which kind of registry is asked, and how long a call waits for its first answer.
    public var policyValues: [PolicyValue] {
        [PolicyValue("registry", "\(type(of: registry))"), PolicyValue("patience", patience)]
    }
}
