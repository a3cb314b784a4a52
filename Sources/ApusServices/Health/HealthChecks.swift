// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusProtobuf
import Synchronization

/// Keeps calls away from endpoints that say of themselves that they do not serve: watches `grpc.health.v1.Health` of
/// each endpoint that calls go to.
///
/// Stands behind the balancer. An endpoint counts as healthy until it says otherwise: no call waits for an answer. One
/// that does not serve is ejected (``EndpointHandle/isEjected``): balancers pick it when no better one is left. When a
/// watch is lost the endpoint is ejected, too, and watched again at once when there has been an answer, else after a
/// back-off of 1 s to 120 s. An endpoint without a health service is healthy for good. Source: gRFC A17.
public struct HealthChecks: ClientInterceptor {
    private let service: String
    private let random: any RandomSource
    private let clock: any MonotonicClock
    private let owner = EndpointAttachment.Owner()

    /// Watches the endpoints' health.
    ///
    /// - Parameters:
    ///   - service: whose health is asked for; the empty string is the server as a whole.
    ///   - random: what jitter is drawn from.
    ///   - clock: the clock of the channel.
    public init(
        service: String = "", random: any RandomSource = SplitMixRandom.shared,
        clock: any MonotonicClock = SystemClock()
    ) {
        self.service = service
        self.random = random
        self.clock = clock
    }

    /// Sends the call on, and begins to watch an endpoint that is new.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        if let handle = call.endpoint, !call.onlyConnects {
            let health = handle.attachment(of: owner) { EndpointHealth() }
            if health.begins() {
                let (target, observer) = (call.target, call.observer)
                // Detached: a server's call, in which this may be, ends before it.
                Task.detached { await follow(handle, health, of: target, through: next, observer) }
            }
        }
        return try await next(call)
    }

    private func follow(
        _ handle: EndpointHandle, _ health: EndpointHealth, of target: String, through next: ClientNext,
        _ observer: (any Observer)?
    ) async {
        let work = Task {
            while !Task.isCancelled, !next.isClosed {
                let error = await watch(handle, health, of: target, through: next)
                guard !Task.isCancelled, !next.isClosed else { return }
                guard let wait = health.ended(error, handle, random: random.unit()) else { return }
                try? await clock.sleep(until: clock.now.advanced(by: wait))
            }
        }
        // The stream would keep the connection of an endpoint that left.
        let hook = handle.onRetire { work.cancel() }
        await work.value
        handle.forget(hook)
        health.left(handle)
    }

    /// Watches until the stream ends, and tells why.
    private func watch(
        _ handle: EndpointHandle, _ health: EndpointHealth, of target: String, through next: ClientNext
    ) async -> RPCError {
        do {
            let request = GRPCHealthCheckRequest(service: service)
            var call = ClientCall(
                method: GRPCHealth.Methods.watch.descriptor, target: target,
                request: .one(try ProtobufCodec<GRPCHealthCheckRequest>.encode(request)), waitForReady: true)
            call.endpoint = handle
            let response = try await next(call)
            guard case .stream(let source) = response.body else {
                return RPCError(.internal, "the watch was answered with one message")
            }
            while let bytes = try await source.next() {
                let answer = try ProtobufCodec<GRPCHealthCheckResponse>.decode(bytes)
                health.told(isServing: answer.status == .serving, handle)
            }
            return RPCError(.unavailable, "the watch ended")
        } catch {
            return RPCError(wrapping: error)
        }
    }
}

/// What is known of one endpoint's health.
final class EndpointHealth: Sendable {
    private let hasBegun = Atomic<Bool>(false)
    private let course = Mutex(HealthCourse())

    /// Whether the watch is to begin: told once.
    func begins() -> Bool {
        guard !hasBegun.load(ordering: .relaxed) else { return false }
        return hasBegun.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    }

    func told(isServing: Bool, _ handle: EndpointHandle) {
        course.withLock { obey($0.told(isServing: isServing), handle) }
    }

    /// - Returns: the time until the next watch; nil when there shall be none.
    func ended(_ error: RPCError, _ handle: EndpointHandle, random: Double) -> Duration? {
        course.withLock { course in
            let (change, wait) = course.ended(isUnimplemented: error.code == .unimplemented, random: random)
            obey(change, handle)
            return wait
        }
    }

    /// Nobody watches any more: the endpoint is as if nobody ever had, and may be watched anew.
    func left(_ handle: EndpointHandle) { course.withLock { obey($0.left(), handle) } }

    private func obey(_ change: HealthCourse.Change?, _ handle: EndpointHandle) {
        switch change {
        case .eject: handle.eject()
        case .readmit: handle.readmit()
        case nil: break
        }
    }
}

/// When an endpoint is ejected, and when it is watched again. Pure.
struct HealthCourse: Sendable {
    enum Change: Sendable, Hashable {
        case eject, readmit
    }

    private static let backoff = (first: 1.0, factor: 1.6, longest: 120.0, jitter: 0.2)

    private(set) var isEjected = false
    private var failures = 0

    /// The endpoint has told its state.
    mutating func told(isServing: Bool) -> Change? {
        failures = 0
        return set(isEjected: !isServing)
    }

    /// The watch has ended: its next one begins at once after one that had an answer.
    mutating func ended(isUnimplemented: Bool, random: Double) -> (change: Change?, wait: Duration?) {
        if isUnimplemented { return (set(isEjected: false), nil) }
        defer { failures += 1 }
        guard failures > 0 else { return (set(isEjected: true), .zero) }
        var seconds = Self.backoff.first
        for _ in 1..<max(1, min(failures, 20)) { seconds = min(seconds * Self.backoff.factor, Self.backoff.longest) }
        let jitter = 1 + (2 * random - 1) * Self.backoff.jitter
        return (set(isEjected: true), .seconds(seconds * jitter))
    }

    /// The watch was given up.
    mutating func left() -> Change? { set(isEjected: false) }

    private mutating func set(isEjected new: Bool) -> Change? {
        defer { isEjected = new }
        guard new != isEjected else { return nil }
        return new ? .eject : .readmit
    }
}
