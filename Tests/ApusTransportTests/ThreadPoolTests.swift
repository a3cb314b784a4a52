// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Testing

@testable import ApusTransport

@Suite(.timeLimit(.minutes(10))) struct ThreadPoolTests {
    @Test func `handlers that block each other run at once, as many as there are threads`() async {
        let pool = ThreadPool(threads: 3)
        let arrived = Counter()
        await withTaskGroup { group in
            for _ in 0..<3 {
                // Each parks its thread until all three are there: fewer threads would wait for ever.
                group.addTask(executorPreference: pool) {
                    arrived.add(1)
                    while arrived.value < 3 { usleep(100) }
                }
            }
        }
        #expect(arrived.value == 3)
    }

    @Test func `never more run than there are threads, and none is lost`() async {
        let pool = ThreadPool(threads: 2)
        let running = Counter()
        let tooMany = Counter()
        let done = Counter()
        await withTaskGroup { group in
            for _ in 0..<5000 {
                group.addTask(executorPreference: pool) {
                    let now = running.add(1)
                    if now > 2 { tooMany.add(1) }
                    running.add(-1)
                    await Task.yield()
                    done.add(1)
                }
            }
        }
        #expect(done.value == 5000)
        #expect(tooMany.value == 0)
    }

    @Test func `a pool is released when its tasks have ended`() async {
        weak var released: ThreadPool?
        do {
            let pool = ThreadPool(threads: 2)
            released = pool
            await Task(executorPreference: pool) {}.value
        }
        await eventually { released == nil }
        #expect(released == nil)
    }
}
