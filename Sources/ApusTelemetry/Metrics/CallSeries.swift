// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The instruments of one method, and for clients of one target: found once, then a call costs a few additions.
final class CallSeries: Sendable {
    let method: MethodDescriptor?
    let target: String?
    let started: any CounterInstrument
    private let backend: any MetricBackend
    private let labels: [Metric.Label]
    // Of calls and of tries, one for each status code. Owned from init to deinit; the places in it may be shared.
    private nonisolated(unsafe) let endings: UnsafeMutablePointer<OnceReference<CallEnding>>
    private let further = OnceReference<RetrySeries>()

    private static let codes = Status.Code.allCases.count

    /// - Parameters:
    ///   - method: nil for all methods that are too many.
    ///   - target: nil on servers.
    init(_ method: MethodDescriptor?, target: String?, _ backend: any MetricBackend) {
        self.method = method
        self.target = target
        self.backend = backend
        let name = method.map { String($0.path.dropFirst()) } ?? "other"
        labels =
            [Metric.Label("grpc.method", name)]
            + (target.map { [Metric.Label("grpc.target", method == nil ? "other" : $0)] } ?? [])
        started = backend.counter(target == nil ? CallMetric.callsStarted : CallMetric.attemptsStarted, labels)
        endings = .allocate(capacity: Self.codes * 2)
        for index in 0..<Self.codes * 2 { (endings + index).initialize(to: OnceReference()) }
    }

    deinit {
        endings.deinitialize(count: Self.codes * 2)
        endings.deallocate()
    }

    /// Whether it is of a client's method and target.
    func isOf(_ call: ClientCall) -> Bool {
        guard let method, let target else { return false }
        return call.isFor(method, of: target)
    }

    /// The instruments of calls with this end.
    func call(_ code: Status.Code) -> CallEnding {
        ending(code, at: code.rawValue) { target == nil ? .server : .client }
    }

    /// The instruments of a client's tries with this end.
    func attempt(_ code: Status.Code) -> CallEnding { ending(code, at: Self.codes + code.rawValue) { .attempt } }

    private func ending(_ code: Status.Code, at index: Int, _ kind: () -> CallEnding.Kind) -> CallEnding {
        if let known = endings[index].object { return known }
        let labels = labels + [Metric.Label("grpc.status", code.name)]
        return endings[index].storeIfNil(CallEnding(kind(), backend, labels))
    }

    /// The instruments of calls that were tried more than once.
    var retries: RetrySeries { further.object ?? further.storeIfNil(RetrySeries(backend, labels)) }
}

/// The instruments of calls, or of tries, with one method, target and status.
final class CallEnding: Sendable {
    enum Kind {
        case client, attempt, server
    }

    private let duration: any HistogramInstrument
    private let sizes: (sent: any HistogramInstrument, received: any HistogramInstrument)?

    init(_ kind: Kind, _ backend: any MetricBackend, _ labels: [Metric.Label]) {
        func histogram(_ metric: Metric) -> any HistogramInstrument { backend.histogram(metric, labels) }
        switch kind {
        case .client:
            duration = histogram(CallMetric.clientDuration)
            sizes = nil
        case .attempt:
            duration = histogram(CallMetric.attemptDuration)
            sizes = (histogram(CallMetric.attemptSent), histogram(CallMetric.attemptReceived))
        case .server:
            duration = histogram(CallMetric.serverDuration)
            sizes = (histogram(CallMetric.serverSent), histogram(CallMetric.serverReceived))
        }
    }

    /// Notes a call's time in nanoseconds, and its sizes; without a record it had none.
    func record(_ time: Int64, _ record: CallRecord?) {
        duration.record(Int(clamping: time))
        guard let sizes else { return }
        sizes.sent.record(record?.sentBytes ?? 0)
        sizes.received.record(record?.receivedBytes ?? 0)
    }
}

/// The instruments of further tries, each made when there is something to report.
final class RetrySeries: Sendable {
    private final class Place: Sendable {
        let histogram: any HistogramInstrument
        init(_ histogram: any HistogramInstrument) { self.histogram = histogram }
    }

    private let backend: any MetricBackend
    private let labels: [Metric.Label]
    private let retries = OnceReference<Place>()
    private let transparent = OnceReference<Place>()
    private let hedges = OnceReference<Place>()
    private let delay = OnceReference<Place>()

    init(_ backend: any MetricBackend, _ labels: [Metric.Label]) {
        self.backend = backend
        self.labels = labels
    }

    /// Notes the tries of a call; what did not happen is not reported (gRFC A96).
    func record(_ tries: CallRecord.Retries) {
        if tries.retries > 0 { record(tries.retries, CallMetric.retries, in: retries) }
        if tries.transparent > 0 { record(tries.transparent, CallMetric.transparentRetries, in: transparent) }
        if tries.hedges > 0 { record(tries.hedges, CallMetric.hedges, in: hedges) }
        record(Int(clamping: tries.delay.saturatedNanoseconds), CallMetric.retryDelay, in: delay)
    }

    private func record(_ value: Int, _ metric: Metric, in place: borrowing OnceReference<Place>) {
        let known = place.object ?? place.storeIfNil(Place(backend.histogram(metric, labels)))
        known.histogram.record(value)
    }
}
