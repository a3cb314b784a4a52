// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a channel knows of its way to an endpoint. Source: gRPC connectivity semantics.
public enum ConnectivityState: UInt8, Sendable, Hashable {
    /// No connection and no wish for one; a call opens it.
    case idle
    /// A connection is being made.
    case connecting
    /// A connection is there.
    case ready
    /// The last attempt failed; the next one waits for its back-off.
    case transientFailure
    /// The endpoint left; no connection will be made.
    case shutdown
}

/// One endpoint as balancers and the transport share it: identity, connectivity, calls in flight.
///
/// Discovery keeps the handle of an instance that stays, so its connections and counts go on; what the registry says
/// about it may change. Another instance at the same address has a handle of its own.
public final class EndpointHandle: Sendable {
    /// Where it is.
    public let address: Endpoint.Address
    /// Who is there, as its registry says; nil where nobody knows.
    public let instance: String?

    private let weightBits: Atomic<UInt64>
    private let details: Mutex<[String: String]>
    private let state = Atomic<UInt8>(ConnectivityState.idle.rawValue)
    private let calls = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    private let connections = Atomic<Int>(0)
    private let failing = Atomic<Int>(0)
    private let ejections = Atomic<Int>(0)
    @usableFromInline let attachments = EndpointAttachments()
    private let hooks = Mutex<RetireHooks>(RetireHooks())

    /// Instances that were at the address before this one, and are still listed.
    let predecessors: Mutex<Set<String?>>

    private struct RetireHooks {
        var retired = false
        var actions: [UInt64: @Sendable () -> Void] = [:]
        var lastID: UInt64 = 0
    }

    /// A handle for an endpoint that was not known before.
    public convenience init(_ endpoint: Endpoint) { self.init(endpoint, after: []) }

    init(_ endpoint: Endpoint, after predecessors: Set<String?>) {
        self.predecessors = Mutex(predecessors)
        address = endpoint.address
        instance = endpoint.instance
        weightBits = Atomic(endpoint.weight.bitPattern)
        details = Mutex(endpoint.metadata)
    }

    /// The endpoint, as its registry describes it now.
    public var endpoint: Endpoint { Endpoint(address, metadata: metadata, weight: weight, instance: instance) }

    /// The share of calls relative to other endpoints, as its registry has it now.
    public var weight: Double { Double(bitPattern: weightBits.load(ordering: .relaxed)) }

    /// What its registry tells about the instance now. Takes a lock: for those who make tables, not for each call.
    public var metadata: [String: String] { details.withLock { $0 } }

    /// Takes over what a newer list says of the same instance.
    func describe(as endpoint: Endpoint) {
        weightBits.store(endpoint.weight.bitPattern, ordering: .relaxed)
        details.withLock { $0 = endpoint.metadata }
    }

    /// The state of the transport's way to the endpoint; set by the transport alone.
    ///
    /// Several event loops may each have a connection: the endpoint is ready while one of them is, and in transient
    /// failure while none is and one of them has failed.
    public package(set) var connectivity: ConnectivityState {
        get {
            if connections.load(ordering: .relaxed) > 0 { return .ready }
            if failing.load(ordering: .relaxed) > 0 { return .transientFailure }
            return ConnectivityState(rawValue: state.load(ordering: .relaxed)) ?? .idle
        }
        set { state.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// What an event loop's way to the endpoint has become.
    package func connectivityChanged(from old: ConnectivityState, to new: ConnectivityState) {
        // The new state first: another loop's word does not come up in between.
        switch new {
        case .ready:
            connections.wrappingAdd(1, ordering: .relaxed)
            connectivity = .idle
        case .transientFailure: failing.wrappingAdd(1, ordering: .relaxed)
        case .idle, .connecting, .shutdown: connectivity = new
        }
        switch old {
        case .ready: connections.wrappingSubtract(1, ordering: .relaxed)
        case .transientFailure: failing.wrappingSubtract(1, ordering: .relaxed)
        case .idle, .connecting, .shutdown: break
        }
    }

    /// Calls that were started here and have not ended.
    public var callsInFlight: Int { calls.load(ordering: .relaxed) }

    /// Calls that were started here and wait for a connection, or for a stream on one: their server lets a client have
    /// only so many at once.
    public var callsWaiting: Int { waiting.load(ordering: .relaxed) }

    /// Whether a policy keeps calls away from the endpoint for a while: balancers pick it as they pick one in
    /// ``ConnectivityState/transientFailure``, only when no better one is left.
    public var isEjected: Bool { ejections.load(ordering: .relaxed) > 0 }

    /// A policy ejects the endpoint: until its ``readmit()``.
    package func eject() { ejections.wrappingAdd(1, ordering: .relaxed) }
    package func readmit() { ejections.wrappingSubtract(1, ordering: .relaxed) }

    package func callsWaitChanged(by count: Int) { waiting.wrappingAdd(count, ordering: .relaxed) }

    package func callStarted() { calls.wrappingAdd(1, ordering: .relaxed) }
    package func callEnded() { calls.wrappingSubtract(1, ordering: .relaxed) }

    /// Whether discovery has dropped the endpoint.
    public var isRetired: Bool { hooks.withLock { $0.retired } }

    /// Tells the transport that discovery dropped the endpoint: calls in flight finish, then connections close.
    public func retire() {
        let actions = hooks.withLock { hooks in
            hooks.retired = true
            defer { hooks.actions = [:] }
            return hooks.actions.values
        }
        for action in actions { action() }
    }

    /// Runs `action` once when the handle retires, at once if it has.
    ///
    /// - Returns: what ``forget(_:)`` takes.
    @discardableResult
    package func onRetire(_ action: @escaping @Sendable () -> Void) -> RetireHook {
        let (id, late) = hooks.withLock { hooks in
            hooks.lastID += 1
            if !hooks.retired { hooks.actions[hooks.lastID] = action }
            return (hooks.lastID, hooks.retired)
        }
        if late { action() }
        return RetireHook(id: id)
    }

    /// An action that waits for the end of a handle.
    package struct RetireHook: Sendable {
        fileprivate let id: UInt64
    }

    /// Drops an action: whoever asked for it is gone.
    package func forget(_ hook: RetireHook) { hooks.withLock { $0.actions[hook.id] = nil } }

    /// Actions that wait for the handle's end.
    package var retireHooks: Int { hooks.withLock { $0.actions.count } }
}

extension EndpointHandle: Hashable {
    /// Handles are equal when they are the same object.
    public static func == (left: EndpointHandle, right: EndpointHandle) -> Bool { left === right }
    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
