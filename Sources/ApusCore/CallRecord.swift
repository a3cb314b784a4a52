// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What is measured of a call, or of one try of it, while an ``Observer`` watches: times, sizes, tries.
///
/// A call without an observer has none. Sizes are those of messages as they go over the wire, compressed if they are,
/// without gRPC's prefix and HTTP/2's frames (gRFC A66). Safe from any thread.
public final class CallRecord: Sendable {
    private struct Tries {
        var started = 0
        var highest = 0
        // A bit for each number that had a try.
        var seen: UInt64 = 0
        var transparent = 0
        var running = 0
        var lastEnd: MonotonicInstant?
        var delay = Duration.zero
        var isHedged = false
        var verdict: Status?
        var endpoint: EndpointHandle?
        var traceID: String?
        var spanID: UInt64?
        // Empty, and without memory of its own, in a call whose first try went well.
        var ends: [Try] = []

        static let limit = 64

        static func bit(_ number: Int) -> UInt64 { 1 << UInt64(min(max(0, number), limit - 1)) }
    }

    /// When the call or try began.
    public let started: MonotonicInstant
    private let watch: Watch
    // Of a try: where it goes.
    private let destination: EndpointHandle?
    // The record of the whole call, in one of a try.
    private let parent: CallRecord?
    private let spent = Atomic<Int64>(-1)
    private let sent = Traffic()
    private let received = Traffic()
    private let course = Mutex(Tries())

    private struct Traffic: ~Copyable, Sendable {
        let bytes = Atomic<Int>(0)
        let messages = Atomic<Int>(0)

        func add(_ size: Int, _ count: Int = 1) {
            bytes.wrappingAdd(size, ordering: .relaxed)
            messages.wrappingAdd(count, ordering: .relaxed)
        }

        func add(_ other: borrowing Traffic) {
            add(other.bytes.load(ordering: .relaxed), other.messages.load(ordering: .relaxed))
        }
    }

    package init(_ watch: Watch, of parent: CallRecord? = nil, at destination: EndpointHandle? = nil) {
        self.watch = watch
        self.destination = destination
        self.parent = parent
        started = watch.now
    }

    /// The same call with another observer of its tries: for interceptors that listen in.
    func replacing(_ observer: any Observer) -> CallRecord {
        CallRecord(Watch(observer, clock: watch.clock), of: whole)
    }

    /// Who is told.
    var observer: any Observer { watch.observer }

    /// The record of the whole call.
    var whole: CallRecord { parent ?? self }

    var isMeasured: Bool { watch.isMeasured }

    /// Who watches the calls of a channel or server, and by which clock: behind one reference for all of its calls.
    package final class Watch: Sendable {
        let observer: any Observer
        // Nil when nobody asked for measures, only for events.
        let clock: (any MonotonicClock)?
        let isMeasured: Bool
        // Asked by its own type, the usual clock answers in half the time.
        private let isSystems: Bool

        package init(_ observer: any Observer, clock: (any MonotonicClock)?) {
            self.observer = observer
            self.clock = clock
            isMeasured = clock != nil
            isSystems = clock is SystemClock
        }

        var now: MonotonicInstant {
            if isSystems { return SystemClock().now }
            return clock?.now ?? MonotonicInstant(nanoseconds: 0)
        }
    }

    // MARK: What observers read

    /// How long the call or try took; nil until it has ended.
    public var duration: Duration? { nanoseconds.map { .nanoseconds($0) } }

    /// The same in nanoseconds: to make a `Duration` and to read it takes as long as the rest of a measure.
    package var nanoseconds: Int64? {
        let nanoseconds = spent.load(ordering: .relaxed)
        return nanoseconds < 0 ? nil : nanoseconds
    }

    /// Bytes of messages that were sent; of a client's whole call by all of its tries that have ended.
    public var sentBytes: Int { sent.bytes.load(ordering: .relaxed) }
    /// Messages that were sent.
    public var sentMessages: Int { sent.messages.load(ordering: .relaxed) }
    /// Bytes of messages that arrived.
    public var receivedBytes: Int { received.bytes.load(ordering: .relaxed) }
    /// Messages that arrived.
    public var receivedMessages: Int { received.messages.load(ordering: .relaxed) }

    /// Tries of a client's call that reached the transport; in the record of a try, those of its call.
    public var attempts: Int { whole.course.withLock { $0.started } }

    /// Whether a try of this number has reached the transport: one more is transparent, no policy counts it.
    package func hasTried(_ number: Int) -> Bool {
        whole.course.withLock { $0.seen & Tries.bit(number) != 0 }
    }

    /// Where a client's last try went.
    public var endpoint: Endpoint? { whole.course.withLock { $0.endpoint }?.endpoint }

    /// The trace that the call belongs to, as 32 hexadecimal digits, if a tracer has said so.
    public var traceID: String? {
        get { whole.course.withLock { $0.traceID } }
        set { whole.course.withLock { $0.traceID = newValue } }
    }

    /// The number of the call's span in that trace, if a tracer has said so.
    package var spanID: UInt64? {
        get { whole.course.withLock { $0.spanID } }
        set { whole.course.withLock { $0.spanID = newValue } }
    }

    /// The tries of a client's call by their reasons. Source: gRFC A96.
    public var retries: Retries {
        let tries = whole.course.withLock { $0 }
        let repeated = max(0, tries.highest - 1)
        return Retries(
            retries: tries.isHedged ? 0 : repeated, hedges: tries.isHedged ? repeated : 0,
            transparent: tries.transparent, delay: tries.delay)
    }

    /// The tries of a call behind its first one.
    public struct Retries: Sendable, Hashable {
        /// Those of a retry policy.
        public let retries: Int
        /// Those of a hedging policy.
        public let hedges: Int
        /// Those that no policy counts, because no server had seen the one before.
        public let transparent: Int
        /// The time in which no try was on its way, from the first one's start on.
        public let delay: Duration
    }

    /// A try that has ended, in a call that was tried more than once or that failed.
    public struct Try: Sendable, Hashable {
        /// Where it went; nil when it had no endpoint.
        public let endpoint: EndpointHandle?
        /// Its time.
        public let duration: Duration
        /// How it ended.
        public let status: Status

        /// How many are kept of one call.
        package static let limit = 8

        package init(endpoint: EndpointHandle?, duration: Duration, status: Status) {
            self.endpoint = endpoint
            self.duration = duration
            self.status = status
        }
    }

    /// The tries of a client's call in the order of their ends, the first few of them: those that failed, and what came
    /// behind them. Empty for a call whose first try went well.
    public var tries: [Try] { whole.course.withLock { $0.ends } }

    // MARK: What transports tell

    /// A message went out, in so many bytes.
    public func messageSent(_ bytes: Int) { sent.add(bytes) }

    /// A message arrived, in so many bytes.
    public func messageReceived(_ bytes: Int) { received.add(bytes) }

    /// The call ends with this status, whatever its handler makes of it. Only the first one counts.
    package func rule(_ status: Status) {
        course.withLock { if $0.verdict == nil { $0.verdict = status } }
    }

    /// The status that ``rule(_:)`` has set.
    package var verdict: Status? { course.withLock { $0.verdict } }

    // MARK: The course of a call

    /// Its tries overlap.
    package func hedges() { whole.course.withLock { $0.isHedged = true } }

    /// A try goes to the transport.
    func attempt(_ number: Int, at endpoint: EndpointHandle?) -> CallRecord {
        let attempt = CallRecord(watch, of: whole, at: endpoint)
        whole.course.withLock { tries in
            if tries.running == 0, let end = tries.lastEnd { tries.delay += end.duration(to: attempt.started) }
            tries.running += 1
            tries.started += 1
            tries.endpoint = endpoint
            tries.highest = max(tries.highest, number)
            if tries.seen & Tries.bit(number) != 0 { tries.transparent += 1 }
            // No policy tries so often: above it nothing is told apart.
            if number < Tries.limit - 1 { tries.seen |= Tries.bit(number) }
        }
        return attempt
    }

    /// The call or try is over. Of a try its error is kept.
    package func end(_ error: RPCError? = nil) {
        guard isMeasured else { return }
        let now = watch.now
        spent.store(started.nanoseconds(to: now), ordering: .relaxed)
        guard let parent else { return }
        parent.sent.add(sent)
        parent.received.add(received)
        parent.course.withLock { tries in
            tries.running -= 1
            tries.lastEnd = now
            guard error != nil || !tries.ends.isEmpty, tries.ends.count < Try.limit else { return }
            let status = error.map { Status($0.code, $0.message) } ?? .ok
            tries.ends.append(Try(endpoint: destination, duration: started.duration(to: now), status: status))
        }
    }
}

extension ClientCall {
    /// What is measured of the call, or of the try that an observer is told of; nil without an observer.
    public var record: CallRecord? { observation }
}

extension ServerCall {
    /// What is measured of the call; nil without an observer.
    public var record: CallRecord? { source.record }
}

extension TransportEnd {
    /// Sends a call that is watched to the transport.
    func observedTry(_ call: consuming ClientCall, _ record: CallRecord) async throws -> ClientResponse {
        let attempt = record.attempt(call.attempt, at: call.endpoint)
        call.observation = attempt
        let call = call
        attempt.observer.attemptStarted(call)
        do {
            let response = try await transport.start(call)
            guard case .stream(let source) = response.body else {
                attempt.end()
                attempt.observer.attemptEnded(call, error: nil)
                return response
            }
            source.onEnd { [call] error in
                attempt.end(error)
                attempt.observer.attemptEnded(call, error: error)
            }
            return response
        } catch {
            let reason = RPCError(wrapping: error)
            attempt.end(reason)
            attempt.observer.attemptEnded(call, error: reason)
            throw error
        }
    }
}
