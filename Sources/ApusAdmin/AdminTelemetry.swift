// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusTelemetry

/// What the admin page shows of channels and servers: their observer.
///
/// It measures as ``CallMetrics`` does, into a registry that others may read too, and keeps notes of calls and events
/// beside. Give it to channels and servers instead of a ``CallMetrics``, not besides one of the same registry.
///
/// ```swift
/// let telemetry = AdminTelemetry()
/// let channel = Channel("users", registry: directory, observer: telemetry)
/// let server = try Server([Users(), health], observer: telemetry)
/// ```
public final class AdminTelemetry: Observer {
    /// What was measured.
    public let registry: MetricRegistry
    let metrics: CallMetrics
    let calls: RecentCalls
    let events: RecentEvents
    let targets: TargetBoard
    let clock: any MonotonicClock

    /// Telemetry of nothing yet.
    ///
    /// - Parameters:
    ///   - registry: where the measures go.
    ///   - slow: a call that took longer is shown among the slow ones.
    ///   - capacity: how many failed, slow and other calls are kept, each; held between 1 and 1,000.
    ///   - clock: the clock of the channels and servers that it observes.
    public init(
        _ registry: MetricRegistry = MetricRegistry(), slow: Duration = .milliseconds(500), capacity: Int = 50,
        clock: any MonotonicClock = SystemClock()
    ) {
        self.registry = registry
        self.clock = clock
        var rules = RecentCalls.Rules()
        rules.slow = slow
        rules.capacity = min(max(1, capacity), 1000)
        metrics = CallMetrics(registry)
        calls = RecentCalls(rules, clock: clock)
        events = RecentEvents(clock: clock)
        targets = TargetBoard()
    }

    /// Counts the try.
    public func attemptStarted(_ call: ClientCall) { metrics.attemptStarted(call) }

    /// Measures the try.
    public func attemptEnded(_ call: ClientCall, error: RPCError?) { metrics.attemptEnded(call, error: error) }

    /// Measures the call, and notes it if it is worth that.
    public func callEnded(_ call: ClientCall, error: RPCError?) {
        metrics.callEnded(call, error: error)
        calls.callEnded(call, error: error)
    }

    /// Counts the pick.
    public func picked(_ endpoint: EndpointHandle, for call: ClientCall) { metrics.picked(endpoint, for: call) }

    /// Counts the wait.
    public func waiting(_ call: ClientCall, for endpoint: EndpointHandle) { metrics.waiting(call, for: endpoint) }

    /// Keeps the list.
    public func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        metrics.resolved(target, from: old, to: new)
        targets.resolved(target, from: old, to: new)
        events.resolved(target, from: old, to: new)
    }

    /// Counts and notes the change.
    public func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        metrics.connectivityChanged(endpoint, from: old, to: new)
        events.connectivityChanged(endpoint, from: old, to: new)
    }

    /// Counts and notes the event.
    public func policyEvent(_ event: PolicyEvent) {
        metrics.policyEvent(event)
        events.policyEvent(event)
    }

    /// Counts and notes the event, by target.
    public func policyEvent(_ event: PolicyEvent, of target: String) {
        metrics.policyEvent(event, of: target)
        events.policyEvent(event, of: target)
    }

    /// Counts the call.
    public func serverCallStarted(_ call: ServerCall) { metrics.serverCallStarted(call) }

    /// Measures the call, and notes it if it is worth that.
    public func serverCallEnded(_ call: ServerCall, error: RPCError?) {
        metrics.serverCallEnded(call, error: error)
        calls.serverCallEnded(call, error: error)
    }

    /// Counts and notes the event.
    public func serverEvent(_ event: ServerEvent) {
        metrics.serverEvent(event)
        calls.serverEvent(event)
        events.serverEvent(event)
    }
}
