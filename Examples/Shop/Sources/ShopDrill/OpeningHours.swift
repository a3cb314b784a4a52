// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// When the shoppers are to go home, and how long they rest between two calls.
final class OpeningHours: Sendable {
    private let closed = Atomic<Bool>(false)
    private let pause: Double

    /// - Parameter pause: the mean rest; each is between nothing and twice as long.
    init(pause: Duration) { self.pause = pause / .seconds(1) }

    var areOver: Bool { closed.load(ordering: .relaxed) }

    func end() { closed.store(true, ordering: .relaxed) }

    func rest() async { try? await Task.sleep(for: .seconds(.random(in: 0...2 * pause))) }

    /// The same for a plain thread.
    func restBlocking() { Thread.sleep(forTimeInterval: .random(in: 0...2 * pause)) }
}
