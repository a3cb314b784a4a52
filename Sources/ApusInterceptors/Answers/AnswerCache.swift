// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Answers a unary call that was answered before from memory, for a while.
///
/// For methods that have no side effects, as their `.proto` file says (`idempotency_level = NO_SIDE_EFFECTS`), or that
/// are named here. Two calls are the same when method, request and metadata are. Only answers are kept, no errors.
public struct AnswerCache: ClientInterceptor {
    private let methods: Set<String>
    private let distinction: MetadataDistinction
    private let clock: any MonotonicClock
    private let store: Store

    // Not generic: a mutex in a generic type looks its metadata up each time.
    private final class Store: Sendable {
        let answers: Mutex<CachedAnswers>
        init(_ answers: CachedAnswers) { self.answers = Mutex(answers) }
    }

    /// A cache.
    ///
    /// - Parameters:
    ///   - age: how long an answer is good.
    ///   - methods: paths of further methods whose answers may be kept.
    ///   - distinction: the metadata that tells calls apart.
    ///   - maximumBytes: the memory of all answers; the least recently used ones go first.
    public init(
        age: Duration, methods: Set<String> = [], distinguishing distinction: MetadataDistinction = .all,
        maximumBytes: Int = 16 << 20, clock: any MonotonicClock = SystemClock()
    ) {
        self.methods = methods
        self.distinction = distinction
        self.clock = clock
        store = Store(CachedAnswers(age: age, maximumBytes: maximumBytes))
    }

    /// Answers that are kept.
    public var count: Int { store.answers.withLock { $0.count } }

    /// Forgets all answers.
    public func removeAll() { store.answers.withLock { $0.removeAll() } }

    /// Answers the call from memory, or sends it.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard call.method.idempotency == .noSideEffects || methods.contains(call.method.path),
            let key = CallKey(call, distinction)
        else { return try await next(call) }
        let now = clock.now
        if let response = store.answers.withLock({ $0.answer(to: key, at: now) }) { return response }
        let response = try await next(call)
        let then = clock.now
        store.answers.withLock { $0.keep(response, for: key, at: then) }
        return response
    }
}

/// The answers of a cache, bounded by their bytes.
struct CachedAnswers: Sendable {
    private struct Entry {
        let response: ClientResponse
        let size: Int
        let until: MonotonicInstant
        var wasUsed = false
        let number: UInt64
    }

    let age: Duration
    let maximumBytes: Int
    private var entries: [CallKey: Entry] = [:]
    // In the order of their coming; those that were used since get a second round.
    private var order = Deque<(key: CallKey, number: UInt64)>()
    private var lastNumber: UInt64 = 0
    private(set) var bytes = 0

    init(age: Duration, maximumBytes: Int) {
        self.age = age
        self.maximumBytes = max(0, maximumBytes)
    }

    var count: Int { entries.count }

    mutating func answer(to key: CallKey, at now: MonotonicInstant) -> ClientResponse? {
        guard let entry = entries[key] else { return nil }
        guard now < entry.until else {
            drop(key)
            return nil
        }
        entries[key]?.wasUsed = true
        return entry.response
    }

    mutating func keep(_ response: ClientResponse, for key: CallKey, at now: MonotonicInstant) {
        guard case .one(let message, let trailers) = response.body else { return }
        let size = key.size + message.count + (response.metadata.entries.count + trailers.entries.count) * 64
        guard age > .zero, size <= maximumBytes else { return }
        drop(key)
        lastNumber += 1
        let until = now.advanced(by: age)
        entries[key] = Entry(response: response, size: size, until: until, number: lastNumber)
        order.append((key, lastNumber))
        bytes += size
        makeRoom(at: now)
    }

    mutating func removeAll() {
        entries = [:]
        order = Deque()
        bytes = 0
    }

    private mutating func drop(_ key: CallKey) {
        guard let old = entries.removeValue(forKey: key) else { return }
        bytes -= old.size
    }

    // The order also holds what was dropped: it is passed over here, and never grows beyond twice the entries.
    private mutating func makeRoom(at now: MonotonicInstant) {
        while bytes > maximumBytes || order.count > 2 * entries.count + 16, let oldest = order.popFirst() {
            guard let entry = entries[oldest.key], entry.number == oldest.number else { continue }
            guard bytes > maximumBytes, !entry.wasUsed || now >= entry.until else {
                entries[oldest.key]?.wasUsed = false
                order.append(oldest)
                continue
            }
            drop(oldest.key)
        }
    }
}

extension AnswerCache: DescribedPolicy {
    /// How long answers are kept, which, and how many there are now.
    public var policyValues: [PolicyValue] {
        let (age, maximumBytes, count, bytes) = store.answers.withLock { ($0.age, $0.maximumBytes, $0.count, $0.bytes) }
        return [
            PolicyValue("age", age), PolicyValue("methods", listing: methods.sorted()),
            PolicyValue("distinguishing", distinction), PolicyValue("maximumBytes", "\(maximumBytes) bytes"),
            PolicyValue("kept", "\(count) answers, \(bytes) bytes"),
        ]
    }
}
