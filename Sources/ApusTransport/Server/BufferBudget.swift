// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The bytes that servers may hold for others: responses whose clients do not read, requests that are not complete, and
/// messages that no handler has taken.
///
/// A slow client is legal, and each of its streams holds little. Only when all of them together hold more than the
/// limit, the streams that have not gone on for longest end with RESOURCE_EXHAUSTED, until an eighth of it is free.
/// A stream's first 8 KiB are not counted.
///
/// Sendable: atomics, and a list behind a mutex.
public final class BufferBudget: Sendable {
    /// The budget of a process' servers: a quarter of the memory that the process may use (the machine's, or what its
    /// control groups leave it), 64 MiB at least.
    public static let shared = BufferBudget(limit: defaultLimit)

    /// Bytes that may be held.
    public let limit: Int

    private let charged = Atomic<Int>(0)
    private let lastTick = Atomic<UInt64>(0)
    // Above this many bytes streams are ended: the limit, or more once that has not helped.
    private let threshold: Atomic<Int>
    private let isRelieving = Atomic<Bool>(false)
    private let holders = Mutex<[Holder]>([])

    private struct Holder {
        weak var server: ActiveServer?
    }

    /// A budget of its own.
    ///
    /// - Parameter limit: in bytes; at least one is taken.
    public init(limit: Int) {
        self.limit = max(1, limit)
        threshold = Atomic(max(1, limit))
    }

    /// Bytes that are held now, in steps of 4 KiB for each stream.
    public var held: Int { charged.load(ordering: .relaxed) }

    private static var defaultLimit: Int { max(64 << 20, Int(clamping: MemoryLimit.bytes / 4)) }

    func add(_ server: ActiveServer) {
        holders.withLock { holders in
            holders.removeAll { $0.server == nil }
            holders.append(Holder(server: server))
        }
    }

    // MARK: For accounts

    /// Notes that a stream holds more, or less. Whoever crosses the threshold starts the relief.
    func change(by bytes: Int) {
        let held = charged.wrappingAdd(bytes, ordering: .relaxed).newValue
        if bytes < 0 { return shrunk(to: held) }
        guard held > threshold.load(ordering: .relaxed) else { return }
        guard !isRelieving.exchange(true, ordering: .acquiring) else { return }
        BufferRelief.start(self, servers: holders.withLock { $0.compactMap(\.server) })
    }

    private func shrunk(to held: Int) {
        guard held < limit - limit / 8, threshold.load(ordering: .relaxed) != limit else { return }
        threshold.store(limit, ordering: .relaxed)
    }

    /// Numbers in the order in which streams go on.
    func tick() -> UInt64 { lastTick.wrappingAdd(1, ordering: .relaxed).newValue }

    // MARK: For the relief

    /// What has to be given back for an eighth of the limit to be free.
    var excess: Int { max(0, held - (limit - limit / 8)) }

    func relieved() {
        // What cannot be ended is not asked again for every few bytes.
        threshold.store(max(limit, held + limit / 16), ordering: .relaxed)
        isRelieving.store(false, ordering: .releasing)
    }
}

/// What one half of a stream has charged to a budget, in steps: most messages never come to it. A plain value, kept
/// behind its half's lock.
struct BufferAccount: Sendable {
    static let step = 4096

    // Valid: a stream's connection keeps the budget, and the account is closed when the stream lets go of it.
    // Unretained, since a call has three of these.
    private var budget: Unmanaged<BufferBudget>?
    private let growsByProgress: Bool
    private(set) var charged = 0
    /// When the half last went on, in the budget's order.
    private(set) var lastProgress: UInt64 = 0

    /// - Parameters:
    ///   - budget: nil counts nothing.
    ///   - growsByProgress: whether it is a half that has to grow to go on: a request that arrives.
    init(_ budget: BufferBudget?, growsByProgress: Bool = false) {
        self.budget = budget.map(Unmanaged.passUnretained)
        self.growsByProgress = growsByProgress
    }

    /// The half holds so many bytes now.
    @inline(__always)
    mutating func hold(_ bytes: Int) {
        // One comparison for both directions: below what is charged, the difference wraps around.
        if UInt(bitPattern: bytes &- charged) >= UInt(2 * Self.step) { adjust(bytes) }
    }

    private mutating func adjust(_ bytes: Int) {
        guard let budget = budget?.takeUnretainedValue() else { return }
        let target = bytes / Self.step * Self.step
        if charged == 0 || growsByProgress || target < charged { lastProgress = budget.tick() }
        let change = target - charged
        charged = target
        budget.change(by: change)
    }

    /// Gives everything back and counts no more.
    mutating func close() {
        hold(0)
        budget = nil
    }
}
