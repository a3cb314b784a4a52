// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Counts what happens besides calls. It happens seldom: a lock and a look-up each time do no harm.
final class EventMetrics: Sendable {
    /// What an endpoint carries with it: a short list, since mostly one channel has the endpoint.
    final class Picks: Sendable {
        private let target: String
        private let counter: any CounterInstrument
        private let next = OnceReference<Picks>()
        private static let limit = 16

        fileprivate init(_ target: String, _ counter: any CounterInstrument) {
            self.target = target
            self.counter = counter
        }

        /// Counts a pick for a call of this target.
        func add(_ target: String, _ make: (String) -> Picks) {
            var place = self
            for _ in 0..<Self.limit {
                if place.target == target { return place.counter.add(1) }
                place = place.next.object ?? place.next.storeIfNil(make(target))
            }
            // So many channels share an endpoint that the list would cost more than the look-up.
            make(target).counter.add(1)
        }
    }

    private struct Key: Hashable {
        let name: String
        let labels: [Metric.Label]
    }

    private struct Known {
        var counters: [Key: any CounterInstrument] = [:]
        var gauges: [Key: any GaugeInstrument] = [:]
        // How many sets of labels each metric has.
        var sizes: [String: Int] = [:]
        // What this observer has added to gauges: they are sums over all who say something of the same.
        var levels: [Key: Int] = [:]
    }

    private let backend: any MetricBackend
    private let limit: Int
    private let known = Mutex(Known())

    init(_ backend: any MetricBackend, limit: Int) {
        self.backend = backend
        self.limit = limit
    }

    // MARK: Instruments

    private func counter(_ metric: Metric, _ labels: [Metric.Label]) -> any CounterInstrument {
        known.withLock { known in
            let key = key(metric, labels, &known.sizes) { known.counters[$0] != nil }
            if let counter = known.counters[key] { return counter }
            let counter = backend.counter(metric, key.labels)
            known.counters[key] = counter
            return counter
        }
    }

    private func gauge(_ metric: Metric, _ labels: [Metric.Label]) -> any GaugeInstrument {
        known.withLock { known in
            let key = key(metric, labels, &known.sizes) { known.gauges[$0] != nil }
            if let gauge = known.gauges[key] { return gauge }
            let gauge = backend.gauge(metric, key.labels)
            known.gauges[key] = gauge
            return gauge
        }
    }

    /// One more says so, or one less: several channels may say it of one endpoint.
    private func raise(_ metric: Metric, _ labels: [Metric.Label], _ isRaised: Bool) {
        shift(metric, labels, by: isRaised ? 1 : -1)
    }

    /// Somebody's part of a sum has changed. Who takes back what was never said, before there was an observer, changes
    /// nothing.
    private func shift(_ metric: Metric, _ labels: [Metric.Label], by change: Int) {
        let gauge = gauge(metric, labels)
        let change = known.withLock { known in
            let key = Key(name: metric.name, labels: labels)
            let level = known.levels[key, default: 0]
            let new = max(0, level + change)
            // What is at zero is not kept.
            known.levels[key] = new == 0 ? nil : new
            return new - level
        }
        gauge.add(change)
    }

    private func key(
        _ metric: Metric, _ labels: [Metric.Label], _ sizes: inout [String: Int], isKnown: (Key) -> Bool
    ) -> Key {
        let key = Key(name: metric.name, labels: labels)
        if isKnown(key) { return key }
        let size = sizes[metric.name, default: 0]
        guard size < limit else {
            // Of states there are few, and counts by state need them.
            let others = labels.map { $0.name == Self.state ? $0 : Metric.Label($0.name, "other") }
            return Key(name: metric.name, labels: others)
        }
        sizes[metric.name] = size + 1
        return key
    }

    private static let state = "apus.state"

    private func label(_ endpoint: Endpoint) -> Metric.Label { Metric.Label("apus.endpoint", "\(endpoint.address)") }

    // MARK: Events of clients

    func picks(_ endpoint: Endpoint, of target: String) -> Picks {
        Picks(target, counter(CallMetric.picks, [Metric.Label("grpc.target", target), label(endpoint)]))
    }

    func waiting(_ endpoint: Endpoint) { counter(CallMetric.waits, [label(endpoint)]).add(1) }

    func resolved(_ target: String, from old: Int, to new: Int?) {
        let labels = [Metric.Label("grpc.target", target)]
        if new != nil { counter(CallMetric.resolutions, labels).add(1) }
        shift(CallMetric.endpoints, labels, by: (new ?? 0) - old)
    }

    func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        guard old != new else { return }
        let labels = [label(endpoint)]
        if old == .ready {
            counter(CallMetric.disconnected, labels).add(1)
            raise(CallMetric.openConnections, labels, false)
        }
        switch new {
        case .ready:
            counter(CallMetric.connected, labels).add(1)
            raise(CallMetric.openConnections, labels, true)
        case .transientFailure: if old == .connecting { counter(CallMetric.connectFailed, labels).add(1) }
        case .idle, .connecting, .shutdown: break
        }
    }

    func policyEvent(_ event: PolicyEvent, of target: String?) {
        switch event {
        case .breaker(let name, let endpoint, let method, let old, let new):
            breaker(Self.labels(name, endpoint, method, target), from: old, to: new)
        case .ejected(let endpoint, _):
            counter(CallMetric.ejections, [label(endpoint)]).add(1)
            raise(CallMetric.ejected, [label(endpoint)], true)
        case .readmitted(let endpoint): raise(CallMetric.ejected, [label(endpoint)], false)
        case .health(let endpoint, let isServing):
            raise(CallMetric.unhealthy, [label(endpoint)], !isServing)
        case .configurationApplied(let source): configuration(source, "applied")
        case .configurationRefused(let source, _): configuration(source, "refused")
        }
    }

    private static func labels(
        _ breaker: String, _ endpoint: Endpoint?, _ method: MethodDescriptor?, _ target: String?
    ) -> [Metric.Label] {
        let own = [
            Metric.Label("apus.breaker", breaker),
            Metric.Label("apus.endpoint", endpoint.map { "\($0.address)" } ?? ""),
            Metric.Label("grpc.method", method.map { String($0.path.dropFirst()) } ?? ""),
        ]
        return own + (target.map { [Metric.Label("grpc.target", $0)] } ?? [])
    }

    private func breaker(_ place: [Metric.Label], from old: BreakerState?, to new: BreakerState?) {
        func labels(of state: BreakerState) -> [Metric.Label] { place + [Metric.Label(Self.state, state.label)] }
        if let old { raise(CallMetric.breaker, labels(of: old), false) }
        guard let new else { return }
        raise(CallMetric.breaker, labels(of: new), true)
        counter(CallMetric.breakerChanges, labels(of: new)).add(1)
    }

    private func configuration(_ source: String, _ result: String) {
        let labels = [Metric.Label("apus.source", source), Metric.Label("apus.result", result)]
        counter(CallMetric.configurations, labels).add(1)
    }

    // MARK: Events of servers

    func serverEvent(_ event: ServerEvent) {
        switch event {
        case .outOfDescriptors: guarded("out_of_descriptors", 1)
        case .descriptorsAvailable(_, let refused): guarded("refused_without_descriptor", refused)
        case .connectionRefused: guarded("connection_refused", 1)
        case .buffersExceeded(_, _, let ended): guarded("stream_ended_for_buffers", ended)
        case .callRefused: guarded("call_refused", 1)
        }
    }

    private func guarded(_ kind: String, _ count: Int) {
        counter(CallMetric.guards, [Metric.Label("apus.event", kind)]).add(count)
    }
}

extension BreakerState {
    /// As metrics call it.
    fileprivate var label: String {
        switch self {
        case .closed: "closed"
        case .halfOpen: "half_open"
        case .open: "open"
        }
    }
}
