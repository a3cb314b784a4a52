// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Lets only so many calls pass in a time; others fail with RESOURCE_EXHAUSTED, and with the time after which a retry
/// may pass in `grpc-retry-pushback-ms`. For channels and for servers, where it refuses a call that is far over the
/// limit before its message is read.
public struct RateLimit: ClientInterceptor, AdmittingInterceptor {
    /// What has a limit of its own.
    public struct Key: Sendable, Hashable {
        enum Kind: Hashable { case all, method, caller, metadata(String) }
        let kind: Kind

        /// All calls share one limit.
        public static let all = Key(kind: .all)
        /// Each method.
        public static let method = Key(kind: .method)
        /// On a server each client: its certificate's identity, else its address without the port. On a channel all
        /// calls share one limit.
        public static let caller = Key(kind: .caller)
        /// Each value of a metadata key; calls without it share one limit.
        public static func metadata(_ key: String) -> Key { Key(kind: .metadata(key)) }
    }

    let name: String
    let key: Key
    let clock: any MonotonicClock
    private let limits: RateLimits

    /// A limit.
    ///
    /// - Parameters:
    ///   - key: what has a limit of its own.
    ///   - maximumKeys: limits that are kept; newcomers above that share one.
    ///   - name: what errors call it.
    public init(
        _ rate: Rate, per key: Key = .all, maximumKeys: Int = 65_536, name: String = "calls",
        clock: any MonotonicClock = SystemClock()
    ) {
        self.name = name
        self.key = key
        self.clock = clock
        limits = RateLimits(rate, maximumKeys: maximumKeys)
    }

    /// Sends the call if it may pass.
    ///
    /// - Throws: RESOURCE_EXHAUSTED, with nothing sent, when it may not.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        if let error = refusal(take(call.method, call.metadata, caller: "")) { throw error }
        return try await next(call)
    }

    /// Handles the call if it may pass.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when it may not.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        let answer = take(call.method, call.metadata, caller: Self.caller(call.peerIdentity, call.peer))
        if let error = refusal(answer) { throw error }
        return try await next(call)
    }

    /// Refuses a call that would not pass now.
    public func admit(_ head: ServerCallHead) throws(RPCError) {
        let text = text(head.method, head.metadata, caller: Self.caller(head.peerIdentity, head.peer))
        if let error = refusal(limits.look(text, at: clock.now)) { throw error }
    }

    private func take(
        _ method: MethodDescriptor, _ metadata: Metadata, caller: @autoclosure () -> String
    ) -> TokenBucket.Answer {
        limits.take(text(method, metadata, caller: caller()), at: clock.now)
    }

    private func text(
        _ method: MethodDescriptor, _ metadata: Metadata, caller: @autoclosure () -> String
    ) -> String? {
        switch key.kind {
        case .all: nil
        case .method: method.path
        case .caller: caller()
        case .metadata(let key): metadata[key] ?? ""
        }
    }

    private static func caller(_ identity: PeerIdentity?, _ peer: Endpoint.Address) -> String {
        if let identity { return "subject \(identity.subject)" }
        guard case .host(let host, _) = peer else { return "\(peer)" }
        return host
    }

    private func refusal(_ answer: TokenBucket.Answer) -> RPCError? {
        guard case .wait(let wait) = answer else { return nil }
        return .overLimit("rate limit '\(name)': too many calls", retryAfter: wait)
    }
}

extension RPCError {
    /// A call that a limit refused, before it did anything.
    static func overLimit(_ text: String, retryAfter wait: Duration?) -> RPCError {
        var metadata = Metadata()
        if let wait { metadata[RetryPushback.key] = String(wait.inMillisecondsUp) }
        return RPCError(.resourceExhausted, text, metadata: metadata, progress: .notConnected)
    }
}

/// The limits of all keys.
final class RateLimits: Sendable {
    private struct Keyed {
        var states: [String: Rate.State] = [:]
        var overflow = Rate.State()
        var looksForIdleAt = 0
    }

    let rate: Rate
    let maximumKeys: Int
    // A single bucket needs no lock.
    private let bucket: SharedTokenBucket?
    private let whole = Mutex(Rate.State())
    private let keyed = Mutex(Keyed())

    init(_ rate: Rate, maximumKeys: Int) {
        self.rate = rate
        self.maximumKeys = max(1, maximumKeys)
        bucket = if case .bucket(let bucket) = rate.kind { SharedTokenBucket(bucket) } else { nil }
    }

    var count: Int { keyed.withLock { $0.states.count } }

    /// Takes a call of the key, nil for all calls together.
    func take(_ key: String?, at now: MonotonicInstant) -> TokenBucket.Answer {
        guard let key else { return bucket?.take(at: now) ?? whole.withLock { rate.take(&$0, at: now) } }
        return keyed.withLock { take(key, at: now, &$0) }
    }

    /// What taking would say now.
    func look(_ key: String?, at now: MonotonicInstant) -> TokenBucket.Answer {
        guard let key else { return bucket?.look(at: now) ?? whole.withLock { look($0, now) } }
        return keyed.withLock { keyed in
            if let state = keyed.states[key] { return look(state, now) }
            return keyed.states.count < maximumKeys ? .taken : look(keyed.overflow, now)
        }
    }

    private func look(_ state: Rate.State, _ now: MonotonicInstant) -> TokenBucket.Answer {
        var state = state
        return rate.take(&state, at: now)
    }

    private func take(_ key: String, at now: MonotonicInstant, _ keyed: inout Keyed) -> TokenBucket.Answer {
        if keyed.states[key] == nil, keyed.states.count >= maximumKeys { dropIdle(&keyed, now) }
        if keyed.states[key] == nil, keyed.states.count >= maximumKeys { return rate.take(&keyed.overflow, at: now) }
        return rate.take(&keyed.states[key, default: Rate.State()], at: now)
    }

    // Not for each newcomer: whoever makes up keys must not make each call scan all of them.
    private func dropIdle(_ keyed: inout Keyed, _ now: MonotonicInstant) {
        keyed.looksForIdleAt -= 1
        guard keyed.looksForIdleAt <= 0 else { return }
        keyed.looksForIdleAt = maximumKeys / 16
        keyed.states = keyed.states.filter { !rate.isIdle($0.value, at: now) }
    }
}

extension RateLimit: DescribedPolicy {
    /// The rate and whose it is.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("name", name), PolicyValue("rate", limits.rate), PolicyValue("per", key),
            PolicyValue("maximumKeys", limits.maximumKeys),
        ]
    }
}

extension RateLimit.Key: CustomStringConvertible {
    /// What tells callers apart.
    public var description: String {
        switch kind {
        case .all: "all"
        case .method: "method"
        case .caller: "caller"
        case .metadata(let key): "metadata \(key)"
        }
    }
}
