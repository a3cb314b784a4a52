// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Measures the calls of channels and servers: names, labels, units and buckets of gRFC A66, retries of A96, connections
/// in the manner of A94, and besides picks, breakers, ejections, health, configuration and what servers refuse.
///
/// A call costs a few additions to numbers that threads share; instruments are looked up once for each method, target
/// and status. One observer may serve many channels and servers.
///
/// ```swift
/// let measured = MetricRegistry()
/// let metrics = CallMetrics(measured)
/// let channel = Channel("users", registry: directory, observer: metrics)
/// ```
public final class CallMetrics: Observer {
    private let backend: any MetricBackend
    private let clients: SeriesTable<CallSeries>
    private let servers: SeriesTable<CallSeries>
    // Of clients' and servers' methods that are too many.
    private let otherClients = OnceReference<CallSeries>()
    private let otherServers = OnceReference<CallSeries>()
    private let events: EventMetrics
    private let owner = EndpointAttachment.Owner()

    /// Metrics that go to a backend.
    ///
    /// - Parameter maximumMethods: how many methods (of clients: pairs of method and target), and how many endpoints,
    ///   have series of their own; all others share one, with the label `other`.
    public init(_ backend: any MetricBackend, maximumMethods: Int = 500) {
        self.backend = backend
        let limit = max(1, min(maximumMethods, 1 << 20))
        clients = SeriesTable(limit: limit)
        servers = SeriesTable(limit: limit)
        events = EventMetrics(backend, limit: limit)
    }

    // MARK: Clients

    private func series(_ call: ClientCall) -> CallSeries {
        let known = clients.series(
            hash: call.subjectHash, where: { $0.isOf(call) },
            make: { CallSeries(call.method, target: call.target, backend) })
        return known ?? otherClients.object ?? otherClients.storeIfNil(CallSeries(nil, target: "other", backend))
    }

    /// Counts the try.
    public func attemptStarted(_ call: ClientCall) { series(call).started.add(1) }

    /// Notes the try's time and sizes.
    public func attemptEnded(_ call: ClientCall, error: RPCError?) {
        guard let record = call.record, let time = record.nanoseconds else { return }
        series(call).attempt(error?.code ?? .ok).record(time, record)
    }

    /// Notes the call's time, and its tries if it had more than one.
    public func callEnded(_ call: ClientCall, error: RPCError?) {
        guard let record = call.record, let time = record.nanoseconds else { return }
        let series = series(call)
        series.call(error?.code ?? .ok).record(time, record)
        if record.attempts > 1 { series.retries.record(record.retries) }
    }

    /// Counts the pick, by endpoint.
    public func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        endpoint.attachment(of: owner) { events.picks(endpoint.endpoint, of: call.target) }
            .add(call.target) { events.picks(endpoint.endpoint, of: $0) }
    }

    /// Counts the wait, by endpoint.
    public func waiting(_ call: ClientCall, for endpoint: EndpointHandle) { events.waiting(endpoint.endpoint) }

    /// Counts the list, and adds its size to those of the target's other channels.
    public func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        events.resolved(target, from: old?.handles.count ?? 0, to: new?.handles.count)
    }

    /// Counts what the change says of a connection.
    public func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        events.connectivityChanged(endpoint, from: old, to: new)
    }

    /// Counts the event, and notes the state it tells of.
    public func policyEvent(_ event: PolicyEvent) { events.policyEvent(event, of: nil) }

    /// The same, by target.
    public func policyEvent(_ event: PolicyEvent, of target: String) { events.policyEvent(event, of: target) }

    // MARK: Servers

    private func series(_ method: MethodDescriptor) -> CallSeries {
        let known = servers.series(
            hash: method.pathHash, where: { $0.method == method },
            make: { CallSeries(method, target: nil, backend) })
        return known ?? otherServers.object ?? otherServers.storeIfNil(CallSeries(nil, target: nil, backend))
    }

    /// Counts the call.
    public func serverCallStarted(_ call: ServerCall) { series(call.method).started.add(1) }

    /// Notes the call's time and sizes.
    public func serverCallEnded(_ call: ServerCall, error: RPCError?) {
        guard let record = call.record, let time = record.nanoseconds else { return }
        series(call.method).call(error?.code ?? .ok).record(time, record)
    }

    /// Counts the event; a call that was refused is one that took no time, of method `other` if that is not served.
    public func serverEvent(_ event: ServerEvent) {
        guard case .callRefused(let method, _, let status) = event else { return events.serverEvent(event) }
        let series =
            method.map { self.series($0) }
            ?? otherServers.object ?? otherServers.storeIfNil(CallSeries(nil, target: nil, backend))
        series.started.add(1)
        series.call(status.code).record(0, nil)
    }
}
