// SPDX-License-Identifier: Apache-2.0

/// Where a call's handler runs.
enum HandlerTask {
    /// There is none: not yet, or not any more.
    case none
    /// It is about to run in a worker of the loop.
    case waiting
    /// In a worker of the loop, among handlers of other calls before and after.
    case worker(LoopWorker)
    /// In a task of its own, on another executor.
    case task(Task<Void, any Error>)

    /// Whether it has begun, and has not come to its end.
    var isRunning: Bool {
        switch self {
        case .none, .waiting: false
        case .worker, .task: true
        }
    }

    /// Tells the handler, if there is one, that nobody waits for it.
    func cancel() {
        switch self {
        case .none, .waiting: break
        case .worker(let worker): worker.cancel()
        case .task(let task): task.cancel()
        }
    }
}
