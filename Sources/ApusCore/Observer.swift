// SPDX-License-Identifier: Apache-2.0

/// Who wants to be told what happens to calls: logs, metrics, traces. Every method has an empty default.
///
/// Called on the threads that do the work: be quick and do not block. A channel or server without an observer
/// pays nothing for them.
public protocol Observer: Sendable {
    /// A channel starts a call.
    func callStarted(_ call: ClientCall)
    /// A call of a channel ended; nil means success.
    func callEnded(_ call: ClientCall, error: RPCError?)
    /// A try of a call goes to the transport: it has an endpoint, and ``ClientCall/record`` is the try's own.
    func attemptStarted(_ call: ClientCall)
    /// A try ended; nil means success. Its ``ClientCall/record`` has its time and sizes.
    func attemptEnded(_ call: ClientCall, error: RPCError?)
    /// A balancer chose `endpoint` among the call's candidates for its try `call.attempt`.
    func picked(_ endpoint: EndpointHandle, for call: ClientCall)
    /// A try waits: for a connection to `endpoint`, or because the server takes no more calls at once. Not told of
    /// tries that can be sent when they are made.
    func waiting(_ call: ClientCall, for endpoint: EndpointHandle)
    /// A try failed, and the call will be tried again after `delay`.
    func retrying(_ call: ClientCall, after error: RPCError, delay: Duration)
    /// Discovery has a new list for a target.
    func resolved(_ target: String, candidates: Candidates)
    /// The same with the list before, nil for the first one; the new one is nil when the channel that had it closes.
    /// Several channels may have one target, each with lists of its own.
    func resolved(_ target: String, from old: Candidates?, to new: Candidates?)
    /// The transport's way to an endpoint changed its state.
    func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState)
    /// The same with the state before: each event loop has a way of its own, and its states follow each other.
    func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState)
    /// A policy of a channel did something besides its calls.
    func policyEvent(_ event: PolicyEvent)
    /// The same of a policy that knows whose calls it saw: several channels may have policies of one name.
    func policyEvent(_ event: PolicyEvent, of target: String)
    /// A server starts to handle a call; or it has one that ended before its handler, and tells of its end at once.
    func serverCallStarted(_ call: ServerCall)
    /// A server's handler ended, or its call before it had one; nil means success.
    func serverCallEnded(_ call: ServerCall, error: RPCError?)
    /// Something happened to a server besides its calls.
    func serverEvent(_ event: ServerEvent)
}

extension Observer {
    /// Does nothing.
    public func callStarted(_ call: ClientCall) {}
    /// Does nothing.
    public func callEnded(_ call: ClientCall, error: RPCError?) {}
    /// Does nothing.
    public func attemptStarted(_ call: ClientCall) {}
    /// Does nothing.
    public func attemptEnded(_ call: ClientCall, error: RPCError?) {}
    /// Does nothing.
    public func picked(_ endpoint: EndpointHandle, for call: ClientCall) {}
    /// Does nothing.
    public func waiting(_ call: ClientCall, for endpoint: EndpointHandle) {}
    /// Does nothing.
    public func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {}
    /// Does nothing.
    public func resolved(_ target: String, candidates: Candidates) {}
    /// Tells of the new list alone.
    public func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        if let new { resolved(target, candidates: new) }
    }
    /// Does nothing.
    public func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState) {}
    /// Tells of the new state alone.
    public func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        connectivityChanged(endpoint, to: new)
    }
    /// Does nothing.
    public func policyEvent(_ event: PolicyEvent) {}
    /// Tells of the event alone.
    public func policyEvent(_ event: PolicyEvent, of target: String) { policyEvent(event) }
    /// Does nothing.
    public func serverCallStarted(_ call: ServerCall) {}
    /// Does nothing.
    public func serverCallEnded(_ call: ServerCall, error: RPCError?) {}
    /// Does nothing.
    public func serverEvent(_ event: ServerEvent) {}
}
