// SPDX-License-Identifier: Apache-2.0

/// Several observers as one: each is told of everything, in the list's order.
///
/// ```swift
/// let channel = Channel("users", registry: directory, observer: Observers([metrics, accessLog]))
/// ```
public struct Observers: Observer {
    private let all: [any Observer]

    /// These observers.
    public init(_ observers: [any Observer]) { all = observers }

    /// Tells all.
    public func callStarted(_ call: ClientCall) { for one in all { one.callStarted(call) } }
    /// Tells all.
    public func callEnded(_ call: ClientCall, error: RPCError?) { for one in all { one.callEnded(call, error: error) } }
    /// Tells all.
    public func attemptStarted(_ call: ClientCall) { for one in all { one.attemptStarted(call) } }
    /// Tells all.
    public func attemptEnded(_ call: ClientCall, error: RPCError?) {
        for one in all { one.attemptEnded(call, error: error) }
    }
    /// Tells all.
    public func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        for one in all { one.picked(endpoint, for: call) }
    }
    /// Tells all.
    public func waiting(_ call: ClientCall, for endpoint: EndpointHandle) {
        for one in all { one.waiting(call, for: endpoint) }
    }
    /// Tells all.
    public func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
        for one in all { one.retrying(call, after: error, delay: delay) }
    }
    /// Tells all.
    public func resolved(_ target: String, candidates: Candidates) {
        for one in all { one.resolved(target, candidates: candidates) }
    }
    /// Tells all.
    public func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        for one in all { one.resolved(target, from: old, to: new) }
    }
    /// Tells all.
    public func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState) {
        for one in all { one.connectivityChanged(endpoint, to: state) }
    }
    /// Tells all.
    public func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        for one in all { one.connectivityChanged(endpoint, from: old, to: new) }
    }
    /// Tells all.
    public func policyEvent(_ event: PolicyEvent) { for one in all { one.policyEvent(event) } }
    /// Tells all.
    public func policyEvent(_ event: PolicyEvent, of target: String) {
        for one in all { one.policyEvent(event, of: target) }
    }
    /// Tells all.
    public func serverCallStarted(_ call: ServerCall) { for one in all { one.serverCallStarted(call) } }
    /// Tells all.
    public func serverCallEnded(_ call: ServerCall, error: RPCError?) {
        for one in all { one.serverCallEnded(call, error: error) }
    }
    /// Tells all.
    public func serverEvent(_ event: ServerEvent) { for one in all { one.serverEvent(event) } }
}
