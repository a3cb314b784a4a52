// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusProtobuf
import Synchronization

/// The method of the service over a recorder.
struct LoadReportHandler: OpenRcaService.Handler {
    let recorder: LoadRecorder
    let minimumInterval: Duration
    let clock: any MonotonicClock
    let pauses = Pauses()

    func streamCoreMetrics(
        _ request: OrcaLoadReportRequest, to writer: ResponseWriter<ProtobufCodec<OrcaLoadReport>>, call: ServerCall
    ) async throws {
        let interval = max(minimumInterval, request.reportInterval.map { Duration($0) } ?? .zero)
        while true {
            var report = recorder.report
            // What calls cost belongs to them, and to those who made them.
            report.requestCost = [:]
            try await writer.write(OrcaLoadReport(report))
            let end = clock.now.advanced(by: interval)
            guard await pauses.pause(until: end, clock) else { throw RPCError(.unavailable, "the server stops") }
            try Task.checkCancellation()
        }
    }
}

/// The waits between reports, which all end when the server stops.
final class Pauses: Sendable {
    private struct State {
        var waits: [UInt64: Task<Void, Never>] = [:]
        var lastID: UInt64 = 0
        var hasStopped = false
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.waits.count } }

    /// Waits until then, or until the task is cancelled.
    ///
    /// - Returns: false when the server stops.
    func pause(until end: MonotonicInstant, _ clock: any MonotonicClock) async -> Bool {
        let wait = Task { _ = try? await clock.sleep(until: end) }
        guard let id = add(wait) else {
            wait.cancel()
            return false
        }
        await withTaskCancellationHandler {
            await wait.value
        } onCancel: {
            wait.cancel()
        }
        return state.withLock { state in
            state.waits[id] = nil
            return !state.hasStopped
        }
    }

    private func add(_ wait: Task<Void, Never>) -> UInt64? {
        state.withLock { state in
            guard !state.hasStopped else { return nil }
            state.lastID += 1
            state.waits[state.lastID] = wait
            return state.lastID
        }
    }

    func stop() {
        let waits = state.withLock { state in
            state.hasStopped = true
            return Array(state.waits.values)
        }
        for wait in waits { wait.cancel() }
    }
}
