// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry
import Synchronization

/// Where threads leave what is to be exported: bounded, and in stripes, so that event loops do not meet at one lock.
final class ExportIntake<Item: Sendable>: Sendable {
    private static var stripes: Int { 8 }

    private final class Stripe: Sendable {
        let items = Mutex<[Item]>([])
    }

    private let limits: OTLPBatchLimits
    private let stripes: [Stripe]
    // What was taken and is neither exported nor given up.
    private let held = Atomic<Int>(0)
    // What of it is still here.
    private let pending = Atomic<Int>(0)
    // How much of it somebody waits for; that one is told once.
    private let wanted = Atomic<Int>(.max)
    private let refused = Atomic<Int>(0)
    private let closed = Atomic<Bool>(false)

    init(_ limits: OTLPBatchLimits) {
        self.limits = limits
        stripes = (0..<Self.stripes).map { _ in Stripe() }
    }

    /// Items that found no room, or came after the end.
    var dropped: Int { refused.load(ordering: .relaxed) }
    /// Items that wait, wherever.
    var waiting: Int { held.load(ordering: .relaxed) }

    /// Takes an item if there is room.
    ///
    /// - Returns: whether somebody waits for as many items as there are with it.
    func add(_ item: Item) -> Bool {
        guard !closed.load(ordering: .relaxed) else { return refuse() }
        guard held.wrappingAdd(1, ordering: .relaxed).newValue <= limits.capacity else {
            release(1)
            return refuse()
        }
        stripes[ThreadStripe.index(of: Self.stripes)].items.withLock { $0.append(item) }
        let count = pending.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
        guard count >= wanted.load(ordering: .sequentiallyConsistent) else { return false }
        return wanted.exchange(.max, ordering: .relaxed) != .max
    }

    /// Has the one who waits told when there are so many items.
    ///
    /// - Returns: false when there are already, and nobody will be told.
    func waits(for count: Int) -> Bool {
        wanted.store(count, ordering: .sequentiallyConsistent)
        // Whoever adds later sees the store, or was counted here.
        guard pending.load(ordering: .sequentiallyConsistent) >= count else { return true }
        return wanted.exchange(.max, ordering: .relaxed) == .max
    }

    private func refuse() -> Bool {
        refused.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    /// All that has been taken so far.
    func drain() -> [Item] {
        let items = stripes.flatMap { stripe in stripe.items.withLock { items in items.isEmpty ? [] : items.take() } }
        pending.wrappingSubtract(items.count, ordering: .relaxed)
        return items
    }

    /// So many are exported or given up.
    func release(_ count: Int) { held.wrappingSubtract(count, ordering: .relaxed) }

    /// Takes no more.
    func close() { closed.store(true, ordering: .relaxed) }
}

extension Array {
    fileprivate mutating func take() -> [Element] {
        defer { self = [] }
        return self
    }
}
