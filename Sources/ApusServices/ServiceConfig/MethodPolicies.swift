// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors

/// What a config asks of the calls of one method, ready to be obeyed.
struct MethodPolicy: Sendable {
    private let config: ServiceConfig.MethodConfig
    private let tries: any ClientInterceptor

    init(_ config: ServiceConfig.MethodConfig, _ throttle: SharedRetryThrottle?, _ clock: any MonotonicClock) {
        self.config = config
        switch config.tries {
        case .once:
            // Only what no server has seen is sent again.
            tries = Retry(.exponential(maxAttempts: 1), codes: [], clock: clock)
        case .retry(let attempts, let initial, let maximum, let multiplier, let codes):
            let schedule = RetrySchedule.exponential(
                maxAttempts: attempts, initial: initial, multiplier: multiplier, maximum: maximum)
            tries = Retry(
                schedule, codes: codes, total: config.totalTime, perTry: config.tryTimeout, clock: clock
            ).sharing(throttle)
        case .hedge(let attempts, let delay, let nonFatal):
            tries = Hedging(maxAttempts: attempts, delay: .fixed(delay), nonFatal: nonFatal, clock: clock)
                .sharing(throttle)
        }
    }

    /// The call as the config wants it. What the caller asked for stays where it is stricter.
    func applied(to call: ClientCall, at now: @autoclosure () -> MonotonicInstant) throws(RPCError) -> ClientCall {
        var call = call
        if let timeout = config.timeout {
            call.deadline = min(call.deadline, CallDeadline(at: now().advanced(by: timeout)))
        }
        if config.waitForReady == true { call.waitForReady = true }
        if let limit = config.maximumResponseBytes {
            call.maximumResponseBytes = min(call.maximumResponseBytes ?? limit, limit)
        }
        guard let limit = config.maximumRequestBytes else { return call }
        switch call.request {
        case .one(let message): try RequestLimit.check(message, limit)
        case .stream(let source): call.request = .stream(RequestLimit(source, limit))
        }
        return call
    }

    func send(_ call: ClientCall, to next: ClientNext) async throws -> ClientResponse {
        try await tries.intercept(call, next: next)
    }
}

/// The policies of all methods. The exact name wins, then the service, then the default. Source: service_config.proto.
struct MethodPolicies: Sendable {
    private struct Key: Hashable {
        let service: String
        let method: String
    }

    private var methods: [Key: MethodPolicy] = [:]
    private var services: [String: MethodPolicy] = [:]
    private var others: MethodPolicy

    init(_ config: ServiceConfig, _ throttle: SharedRetryThrottle?, _ clock: any MonotonicClock) {
        others = MethodPolicy(ServiceConfig.MethodConfig(), throttle, clock)
        for entry in config.methods {
            let policy = MethodPolicy(entry, throttle, clock)
            for name in entry.names {
                switch name {
                case .all: others = policy
                case .service(let service): services[service] = policy
                case .method(let service, let method): methods[Key(service: service, method: method)] = policy
                }
            }
        }
    }

    subscript(_ method: MethodDescriptor) -> MethodPolicy {
        methods[Key(service: method.service, method: method.name)] ?? services[method.service] ?? others
    }
}

/// A streamed request none of whose messages is larger than a limit.
final class RequestLimit: MessageSource {
    private let source: any MessageSource
    private let limit: Int

    init(_ source: any MessageSource, _ limit: Int) {
        self.source = source
        self.limit = limit
    }

    func next() async throws -> MessageBytes? {
        guard let message = try await source.next() else { return nil }
        try Self.check(message, limit)
        return message
    }

    var isUntouched: Bool { source.isUntouched }

    func cancel() { source.cancel() }

    static func check(_ message: MessageBytes, _ limit: Int) throws(RPCError) {
        guard message.count > limit else { return }
        throw RPCError(
            .resourceExhausted,
            "a request message of \(message.count) bytes is larger than the service config's limit of \(limit)",
            progress: .notConnected)
    }
}
