// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The executors of a server's services, by the number of the service.
struct ServiceExecutors: Sendable {
    private var executors: [(any TaskExecutor)?] = []

    init(_ router: Router) {
        for index in 0..<router.methods.count {
            let entry = router[index]
            while executors.count <= entry.service { executors.append(nil) }
            if executors[entry.service] == nil { executors[entry.service] = Self.make(entry.execution) }
        }
    }

    subscript(service: Int) -> (any TaskExecutor)? { executors[service] }

    private static func make(_ execution: HandlerExecution) -> (any TaskExecutor)? {
        switch execution {
        case .loop: nil
        case .concurrent: globalConcurrentExecutor
        case .threads(let count): ThreadPool(threads: max(1, count))
        case .executor(let executor): executor
        }
    }
}
