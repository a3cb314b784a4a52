// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many connections of a server each loop has: a new one goes to the loop with the fewest.
final class LoopBalance: Sendable {
    private let loops: EventLoops
    private let counts: Mutex<[Int]>

    init(_ loops: EventLoops) {
        self.loops = loops
        counts = Mutex(Array(repeating: 0, count: loops.count))
    }

    /// The loop with the fewest connections, which now has one more.
    func least() -> UVLoop { loops.loops[leastIndex()] }

    /// The same for a connection that needs no socket.
    func leastMember() -> any EventLoop { loops.members[leastIndex()] }

    private func leastIndex() -> Int {
        counts.withLock { counts in
            let index = counts.indices.min { counts[$0] < counts[$1] } ?? 0
            counts[index] += 1
            return index
        }
    }

    /// The same loop, which now has one more.
    func one(more loop: UVLoop) -> UVLoop {
        change(loop, by: 1)
        return loop
    }

    func connectionClosed(on loop: any EventLoop) { change(loop, by: -1) }

    private func change(_ loop: any EventLoop, by count: Int) {
        counts.withLock { counts in
            if let index = loops.members.firstIndex(where: { $0 === loop }) { counts[index] += count }
        }
    }
}
