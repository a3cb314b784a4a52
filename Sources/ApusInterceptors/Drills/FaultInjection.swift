// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Delays or fails a share of calls on purpose: for tests and drills, on channels and on servers.
///
/// ```swift
/// FaultInjection([
///     Fault(share: 0.01, delay: .milliseconds(200) ... .seconds(1)),
///     Fault(header: ("x-drill", "down"), abort: Status(.unavailable, "a drill")),
/// ])
/// ```
public struct FaultInjection: ClientInterceptor, ServerInterceptor {
    private let faults: [Fault]
    private let random: any RandomSource
    private let clock: any MonotonicClock

    /// Injects faults: each that matches a call and is drawn, in their order, until one ends the call.
    public init(
        _ faults: [Fault], random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        self.faults = faults
        self.random = random
        self.clock = clock
    }

    /// Sends the call, later or not at all when it is drawn.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        try await inject(call.method, call.metadata, call.deadline)
        return try await next(call)
    }

    /// Handles the call, later or not at all when it is drawn.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        try await inject(call.method, call.metadata, call.deadline)
        return try await next(call)
    }

    private func inject(_ method: MethodDescriptor, _ metadata: Metadata, _ deadline: CallDeadline) async throws {
        for fault in faults where fault.strikes(method, metadata, random) {
            if let delay = fault.delay(random) { try await wait(delay, deadline) }
            if let status = fault.abort { throw RPCError(status) }
        }
    }

    private func wait(_ delay: Duration, _ deadline: CallDeadline) async throws {
        let end = clock.now.advanced(by: delay)
        try await clock.sleep(until: min(end, deadline.instant))
        if deadline.hasPassed(at: clock.now) { throw CallDeadline.exceeded("in an injected delay") }
    }
}

/// Something that goes wrong with some calls.
public struct Fault: Sendable {
    /// The share of the matching calls, `0...1`.
    public var share: Double
    /// The paths of the methods, such as `/users.v1.UserService/Register`; nil for all.
    public var methods: Set<String>?
    /// The metadata that a call must have: a key, and its value if that matters; nil for all calls.
    public var header: (key: String, value: String?)?
    /// How long the call is held up, each time of the range with the same probability; nil for not at all.
    public var delay: ClosedRange<Duration>?
    /// How the call ends; nil lets it go on.
    public var abort: Status?

    /// A fault of all calls unless told otherwise.
    public init(
        share: Double = 1, methods: Set<String>? = nil, header: (key: String, value: String?)? = nil,
        delay: ClosedRange<Duration>? = nil, abort: Status? = nil
    ) {
        self.share = share
        self.methods = methods
        self.header = header
        self.delay = delay
        self.abort = abort
    }

    /// Whether the fault meets a call.
    func strikes(_ method: MethodDescriptor, _ metadata: Metadata, _ random: any RandomSource) -> Bool {
        if let methods, !methods.contains(method.path) { return false }
        if let header {
            guard let value = metadata[header.key] else { return false }
            if let expected = header.value, expected != value { return false }
        }
        return share >= 1 || random.unit() < share
    }

    /// How long this call is held up.
    func delay(_ random: any RandomSource) -> Duration? {
        guard let delay else { return nil }
        let (low, high) = (delay.lowerBound.saturatedNanoseconds, delay.upperBound.saturatedNanoseconds)
        let extra = Double(high) - Double(low)
        return .nanoseconds(low) + .nanoseconds(Int64(min(max(0, extra) * random.unit(), 0x1p62)))
    }
}

extension FaultInjection: DescribedPolicy {
    /// Each fault: which calls it meets, and what becomes of them.
    public var policyValues: [PolicyValue] { faults.map { PolicyValue("fault", $0) } }
}

extension Fault: CustomStringConvertible {
    /// One line: `0.01 of the calls with x-drill: 0.2 seconds to 1.0 seconds late, UNAVAILABLE`. Without metadata's
    /// values: they may be keys.
    public var description: String {
        let of = methods.map { " of " + $0.sorted().joined(separator: ", ") } ?? ""
        let with = header.map { " with \($0.key)" } ?? ""
        let late = delay.map { "\($0.lowerBound) to \($0.upperBound) late" }
        let effects = [late, abort?.code.name].compactMap(\.self)
        return "\(share) of the calls\(of)\(with): " + (effects.isEmpty ? "nothing" : effects.joined(separator: ", "))
    }
}
