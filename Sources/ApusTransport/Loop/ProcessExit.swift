// SPDX-License-Identifier: Apache-2.0

import CLibuv
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Holds the event loops still while the process exits.
///
/// libuv takes itself down in a destructor of its library. A loop that begins or ends to watch signals meanwhile finds
/// nothing there, and aborts a process that was about to end well.
enum ProcessExit {
    private static let loops = Mutex<[UVLoop]>([])
    // Once, before there is a loop.
    private static let hook: Void = { atexit(apusHoldLoops) }()

    /// Notes a loop whose thread has started.
    static func started(_ loop: UVLoop) {
        _ = hook
        loops.withLock { $0.append(loop) }
    }

    fileprivate static func holdAll() { hold(loops.withLock { $0 }) }

    /// Lets each loop finish what it is at, and then nothing more, for ever.
    ///
    /// - Parameter patience: milliseconds for all of them. A handler that blocks its loop must not keep the process.
    /// - Returns: whether all of them are still.
    @discardableResult
    static func hold(_ loops: [UVLoop], patience: Int = 1000) -> Bool {
        let held = Held()
        // A handler may have called `exit`: its loop is here, and does nothing else.
        let others = loops.filter { !$0.isCurrent }
        for loop in others {
            loop.execute {
                held.count.add(1, ordering: .relaxed)
                while true { uv_sleep(.max) }
            }
        }
        for _ in 0..<patience where held.count.load(ordering: .relaxed) < others.count { uv_sleep(1) }
        return held.count.load(ordering: .relaxed) == others.count
    }

    private final class Held: Sendable {
        let count = Atomic(0)
    }
}

private func apusHoldLoops() { ProcessExit.holdAll() }
