// SPDX-License-Identifier: Apache-2.0

import Dispatch
public import ShopStore

/// What an order process does besides answering calls: it brings orders forward, and looks for what other processes
/// wrote, so that watches hear of it.
public struct Fulfilment: Sendable {
    private let store: OrderStore
    private let changes: FileChanges
    private let interval: Duration
    private let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - interval: how often it looks.
    ///   - report: takes a line about a failure; the work goes on.
    public init(
        _ store: OrderStore, changes: FileChanges, interval: Duration = .milliseconds(20),
        report: @escaping @Sendable (String) -> Void = StoreErrors.writeToStandardError
    ) {
        self.store = store
        self.changes = changes
        self.interval = interval
        self.report = report
    }

    /// Works until the task is cancelled.
    public func run() async {
        let work = Task(executorPreference: StorageThread()) {
            async let looks: Void = changes.look(every: interval)
            await advance()
            await looks
        }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
    }

    private func advance() async {
        while (try? await ContinuousClock().sleep(for: interval)) != nil {
            do {
                while try store.advanceDueOrders() == 100 {}
            } catch StoreError.busy {
                // Another process is at it.
            } catch {
                report("orders stay where they are: \(error)")
            }
        }
    }
}

/// A thread for work that blocks, so that none of Swift's pool is blocked.
private final class StorageThread: TaskExecutor {
    private let queue = DispatchQueue(label: "shop.storage")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
