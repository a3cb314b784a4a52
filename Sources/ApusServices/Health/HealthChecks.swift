// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusInterceptors
import ApusProtobuf
import Synchronization

/// Keeps calls away from endpoints that say of themselves that they do not serve: watches `grpc.health.v1.Health` of
/// each endpoint that calls go to.
///
/// Stands behind the balancer, and there last: what is behind it sees the watch as a call, too. An endpoint counts as
/// healthy until it says otherwise: no call waits for an answer. One that does not serve is ejected
/// (``EndpointHandle/isEjected``): balancers pick it when no better one is left, so that calls go on when none serves.
/// When a watch is lost the endpoint is ejected, too, and watched again after a second, and after up to 120 s while no
/// watch has an answer. An endpoint without a health service is healthy for good. Source: gRFC A17.
///
/// Released, or replaced because a service config asks for another service's health, it ends its watches.
public struct HealthChecks: ClientInterceptor {
    private let watcher: HealthWatcher
    private let watches = EndpointWatches()
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
        watcher = HealthWatcher(service: service, random: random, clock: clock)
    }

    /// Sends the call on, and begins to watch an endpoint that is new.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        if let handle = call.endpoint, !call.onlyConnects {
            let health = handle.attachment(of: owner) { EndpointHealth() }
            if health.begins() {
                let (target, observer) = (call.target, call.observer)
                watches.add { [watcher] in await watcher.follow(handle, health, of: target, through: next, observer) }
            }
        }
        return try await next(call)
    }
}

extension HealthChecks: EndingPolicy {
    package func end() { watches.end() }
}

/// How an endpoint's health is watched.
struct HealthWatcher: Sendable {
    let service: String
    let random: any RandomSource
    let clock: any MonotonicClock

    /// Watches an endpoint until it retires, the channel closes or the task is cancelled.
    func follow(
        _ handle: EndpointHandle, _ health: EndpointHealth, of target: String, through next: ClientNext,
        _ observer: (any Observer)?
    ) async {
        let work = Task {
            while !Task.isCancelled, !next.isClosed {
                let error = await watch(handle, health, of: target, through: next, observer)
                guard !Task.isCancelled, !next.isClosed else { return }
                guard let wait = health.ended(error, handle, observer, random: random.unit()) else { return }
                await pause(wait, next)
            }
        }
        // The stream would keep the connection of an endpoint that left.
        let hook = handle.onRetire { work.cancel() }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        handle.forget(hook)
        health.left(handle, observer)
    }

    // Nobody tells that the channel has closed: it is looked at each second.
    private func pause(_ wait: Duration, _ next: ClientNext) async {
        let end = clock.now.advanced(by: wait)
        while clock.now < end, !Task.isCancelled, !next.isClosed {
            try? await clock.sleep(until: min(end, clock.now.advanced(by: .seconds(1))))
        }
    }

    /// Watches until the stream ends, and tells why.
    private func watch(
        _ handle: EndpointHandle, _ health: EndpointHealth, of target: String, through next: ClientNext,
        _ observer: (any Observer)?
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
                health.told(isServing: answer.status == .serving, handle, observer)
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

    func told(isServing: Bool, _ handle: EndpointHandle, _ observer: (any Observer)?) {
        obey(handle, observer) { $0.told(isServing: isServing) }
    }

    /// - Returns: the time until the next watch; nil when there shall be none.
    func ended(
        _ error: RPCError, _ handle: EndpointHandle, _ observer: (any Observer)?, random: Double
    ) -> Duration? {
        var wait: Duration?
        obey(handle, observer) { course in
            let end = course.ended(isUnimplemented: error.code == .unimplemented, random: random)
            wait = end.wait
            return end.change
        }
        return wait
    }

    /// Nobody watches any more: the endpoint is as if nobody ever had. Another channel may watch it, unless there is
    /// nothing to be watched.
    func left(_ handle: EndpointHandle, _ observer: (any Observer)?) {
        obey(handle, observer) { $0.left() }
        hasBegun.store(course.withLock { $0.isForGood }, ordering: .relaxed)
    }

    // Under the lock: changes follow one another as their reasons do.
    private func obey(
        _ handle: EndpointHandle, _ observer: (any Observer)?, _ change: (inout HealthCourse) -> HealthCourse.Change?
    ) {
        let change = course.withLock { course in
            let change = change(&course)
            switch change {
            case .eject: handle.eject()
            case .readmit: handle.readmit()
            case nil: break
            }
            return change
        }
        if let change { observer?.policyEvent(.health(handle.endpoint, isServing: change == .readmit)) }
    }
}

/// When an endpoint is ejected, and when it is watched again. Pure.
struct HealthCourse: Sendable {
    enum Change: Sendable, Hashable {
        case eject, readmit
    }

    private static let backoff = (first: 1.0, factor: 1.6, longest: 120.0, jitter: 0.2)

    private(set) var isEjected = false
    /// Whether there is no health service to be watched.
    private(set) var isForGood = false
    private var failures = 0

    /// The endpoint has told its state.
    mutating func told(isServing: Bool) -> Change? {
        failures = 0
        return set(isEjected: !isServing)
    }

    /// The watch has ended. The next one waits, also after one that had an answer: a server may answer and end each.
    mutating func ended(isUnimplemented: Bool, random: Double) -> (change: Change?, wait: Duration?) {
        if isUnimplemented {
            isForGood = true
            return (set(isEjected: false), nil)
        }
        var seconds = Self.backoff.first
        for _ in 0..<min(failures, 20) { seconds = min(seconds * Self.backoff.factor, Self.backoff.longest) }
        failures += 1
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

extension HealthChecks: DescribedPolicy {
    /// Whose health is asked for.
    public var policyValues: [PolicyValue] { [PolicyValue("service", watcher.service.debugDescription)] }
}
