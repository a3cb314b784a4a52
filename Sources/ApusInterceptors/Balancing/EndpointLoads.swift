// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// What a channel's endpoints report of their load.
struct EndpointLoads: Sendable {
    let rules: LoadWeightRules
    private let reports: any LoadReportSource
    private let random: any RandomSource
    private let clock: any MonotonicClock
    private let owner = EndpointAttachment.Owner()

    init(
        _ reports: any LoadReportSource, _ rules: LoadWeightRules, _ random: any RandomSource,
        _ clock: any MonotonicClock
    ) {
        self.reports = reports
        self.rules = rules
        self.random = random
        self.clock = clock
    }

    /// Where the reports come from.
    var source: String {
        (reports as? any CustomStringConvertible)?.description ?? (reports.isOutOfBand ? "out of band" : "per call")
    }

    func load(of handle: EndpointHandle) -> EndpointLoad { handle.attachment(of: owner) { EndpointLoad() } }

    /// Notes the report at the end of a call that was answered.
    func note(_ response: ClientResponse, of handle: EndpointHandle) {
        guard !reports.isOutOfBand else { return }
        switch response.body {
        case .one(_, let trailers): note(trailers, of: handle)
        case .stream(let source):
            // Weakly: who waits for the end of a stream must not keep it from being dropped.
            source.onEnd { [weak source] _ in
                if let source { note(source.finalTrailers, of: handle) }
            }
        }
    }

    /// Notes the report in trailing metadata.
    func note(_ trailers: Metadata, of handle: EndpointHandle) {
        guard !reports.isOutOfBand, !trailers.isEmpty, let report = reports.report(in: trailers) else { return }
        load(of: handle).received(report, at: clock.now, rules)
    }

    /// Follows the reports of an endpoint, if that is wanted and not under way: calls go there, so that it has a
    /// connection. When they end, the first call after a back-off begins anew.
    func followIfDue(
        _ handle: EndpointHandle, of target: String, through next: ClientNext, in watches: EndpointWatches
    ) {
        guard reports.isOutOfBand, !next.isClosed else { return }
        let load = load(of: handle)
        guard load.begins(at: clock.now) else { return }
        watches.add { await follow(handle, load, of: target, through: next) }
    }

    private func follow(
        _ handle: EndpointHandle, _ load: EndpointLoad, of target: String, through next: ClientNext
    ) async {
        let work = Task { [reports, rules, clock] in
            try await reports.follow(handle, of: target, through: next) { load.received($0, at: clock.now, rules) }
        }
        // The stream would keep the connection of an endpoint that left.
        let hook = handle.onRetire { work.cancel() }
        let result = await withTaskCancellationHandler {
            await work.result
        } onCancel: {
            work.cancel()
        }
        handle.forget(hook)
        if case .failure(let error) = result, RPCError(wrapping: error).code == .unimplemented { return }
        load.ended(at: clock.now, random: random.unit())
    }
}

/// One endpoint's load.
final class EndpointLoad: Sendable {
    // The waits of gRPC's connection back-off.
    private static let backoff = RetrySchedule.exponential(
        maxAttempts: .max, initial: .seconds(1), multiplier: 1.6, maximum: .seconds(120))

    private let weight = Mutex(LoadWeight())
    private let scaledWeight = Atomic<UInt16>(.max)
    // .max while reports are followed, or never will be.
    private let followsAt = Atomic<Int64>(.min)
    private let failures = Atomic<Int>(0)

    /// The weight as the present schedule has it.
    var scaled: UInt16 {
        get { scaledWeight.load(ordering: .relaxed) }
        set { scaledWeight.store(newValue, ordering: .relaxed) }
    }

    func received(_ report: LoadReport, at now: MonotonicInstant, _ rules: LoadWeightRules) {
        failures.store(0, ordering: .relaxed)
        weight.withLock { $0.received(report, at: now, rules) }
    }

    func weight(at now: MonotonicInstant, _ rules: LoadWeightRules, isConnected: Bool) -> Double {
        weight.withLock { weight in
            if !isConnected { weight.disconnected() }
            return weight.present(at: now, rules)
        }
    }

    /// Whether its reports are to be followed from now on: told once.
    func begins(at now: MonotonicInstant) -> Bool {
        let due = followsAt.load(ordering: .relaxed)
        guard due != .max, now.nanoseconds >= due else { return false }
        return followsAt.compareExchange(expected: due, desired: .max, ordering: .relaxed).exchanged
    }

    /// Its reports have ended, and may be followed again after a while: at once, the first time after one came.
    func ended(at now: MonotonicInstant, random: Double) {
        let failures = failures.wrappingAdd(1, ordering: .relaxed).oldValue
        let wait = failures == 0 ? .zero : Self.backoff.wait(beforeRetry: failures, random: random)
        followsAt.store(now.advanced(by: wait).nanoseconds, ordering: .relaxed)
    }
}
