// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

@testable import ShopStore

/// A folder that is removed with its last user.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        path = folder.path()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// A clock that stands until a test turns it.
final class ManualClock: Sendable {
    private let time = Mutex<Milliseconds>(1_000_000)

    var wall: WallClock { WallClock { self.now } }
    var now: Milliseconds { time.withLock { $0 } }

    func advance(by milliseconds: Milliseconds) { time.withLock { $0 += milliseconds } }
}

/// Runs `body` for 0..<count on threads of their own, all at once, as processes would; the results in order.
func concurrently<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let results = Mutex<[Int: Result<Value, any Error>]>([:])
    let start = DispatchSemaphore(value: 0)
    let done = DispatchGroup()
    for index in 0..<count {
        done.enter()
        Thread.detachNewThread {
            start.wait()
            let result = Result { try body(index) }
            results.withLock { $0[index] = result }
            done.leave()
        }
    }
    for _ in 0..<count { start.signal() }
    done.wait()
    return try results.withLock { results in
        try results.sorted { $0.key < $1.key }.map { try $0.value.get() }
    }
}
