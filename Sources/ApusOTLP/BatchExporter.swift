// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Exports what threads add to it, in batches. Released, it stops, and what waits is lost.
final class BatchExporter<Item: Sendable>: Sendable {
    /// Sends a batch within a time, and tells how many of it were rejected.
    typealias Send = @Sendable ([Item], Duration) async throws(RPCError) -> Int

    private let core: BatchCore<Item>
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(
        _ limits: OTLPBatchLimits, timeout: Duration, _ random: any RandomSource, _ clock: any MonotonicClock,
        send: @escaping Send
    ) {
        let core = BatchCore(limits, timeout, random, clock, send)
        self.core = core
        task.withLock { $0 = Task { await core.run() } }
    }

    deinit { task.withLock { $0?.cancel() } }

    /// Takes an item, or counts it as dropped. From any thread.
    func add(_ item: Item) { core.add(item) }

    var counts: OTLPBatchCounts { core.counts }

    /// Exports what there is, for no longer than `limit`, and takes no more.
    func shutDown(within limit: Duration) async {
        let running = task.withLock { $0.take() }
        guard let running else { return }
        running.cancel()
        await running.value
        await core.flush(within: limit)
    }
}

/// What the exporter's task holds on to.
final class BatchCore<Item: Sendable>: Sendable {
    private struct State {
        var queue: BatchQueue<Item>
        var rejected = 0
        var released = 0
    }

    private let intake: ExportIntake<Item>
    private let timeout: Duration
    private let random: any RandomSource
    private let clock: any MonotonicClock
    private let send: BatchExporter<Item>.Send
    private let state: Mutex<State>
    private let ticks: AsyncStream<Void>
    private let ticker: AsyncStream<Void>.Continuation

    init(
        _ limits: OTLPBatchLimits, _ timeout: Duration, _ random: any RandomSource, _ clock: any MonotonicClock,
        _ send: @escaping BatchExporter<Item>.Send
    ) {
        intake = ExportIntake(limits)
        self.timeout = timeout
        self.random = random
        self.clock = clock
        self.send = send
        state = Mutex(State(queue: BatchQueue(limits, at: clock.now)))
        (ticks, ticker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var counts: OTLPBatchCounts {
        state.withLock { state in
            OTLPBatchCounts(
                exported: state.queue.exported, rejected: state.rejected,
                dropped: state.queue.dropped + intake.dropped, failures: state.queue.failures,
                waiting: max(0, intake.waiting))
        }
    }

    func add(_ item: Item) { if intake.add(item) { ticker.yield() } }

    /// Exports until the task is cancelled.
    func run() async {
        var iterator = ticks.makeAsyncIterator()
        while !Task.isCancelled {
            switch next() {
            case .send(let batch): await export(batch, within: timeout)
            case .wait(let until, let more):
                guard intake.waits(for: more) else { continue }
                let timer = Task { [clock, ticker] in
                    do { try await clock.sleep(until: until) } catch { return }
                    ticker.yield()
                }
                _ = await iterator.next(isolation: nil)
                timer.cancel()
            }
        }
    }

    /// Exports what there is, until it is gone or the time is over; then it is given up.
    func flush(within limit: Duration) async {
        intake.close()
        let end = clock.now.advanced(by: limit)
        flushing: while case let left = clock.now.duration(to: end), left > .zero {
            switch next(flushes: true) {
            case .send(let batch): await export(batch, within: min(left, timeout))
            case .wait(let until, _):
                guard until < end, state.withLock({ $0.queue.count }) > 0 else { break flushing }
                do { try await clock.sleep(until: until) } catch { break flushing }
            }
        }
        update {
            $0.queue.add(intake.drain())
            $0.queue.giveUp()
        }
    }

    private func next(flushes: Bool = false) -> BatchQueue<Item>.Step {
        state.withLock { state in
            state.queue.add(intake.drain())
            return state.queue.next(at: clock.now, flushes: flushes)
        }
    }

    private func export(_ batch: [Item], within limit: Duration) async {
        do throws(RPCError) {
            let rejected = try await send(batch, limit)
            ended(nil, rejected: rejected)
        } catch {
            ended(error)
        }
    }

    private func ended(_ error: RPCError?, rejected: Int = 0) {
        let (isInterrupted, now) = (error != nil && Task.isCancelled, clock.now)
        update { state in
            if isInterrupted { return state.queue.interrupted() }
            state.queue.ended(error, random: random.unit(), at: now)
            state.rejected = state.rejected.addingReportingOverflow(max(0, rejected)).partialValue
        }
    }

    private func update(_ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            let done = state.queue.exported + state.queue.dropped
            intake.release(done - state.released)
            state.released = done
        }
    }
}
