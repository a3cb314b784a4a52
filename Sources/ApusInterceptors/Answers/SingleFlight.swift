// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Lets calls that ask the same at the same time share one answer: a thousand callers that miss one value ask for it
/// once.
///
/// For unary methods without side effects, as their `.proto` file says, or that are named here. The shared call goes on
/// while one of its callers is left. A caller whose own deadline is earlier than the shared call's asks alone, and so
/// does one that outlives it.
public struct SingleFlight: ClientInterceptor {
    private let methods: Set<String>
    private let distinction: MetadataDistinction
    private let flights = Flights()

    /// Coalesces calls.
    ///
    /// - Parameters:
    ///   - methods: paths of further methods whose calls may share an answer.
    ///   - distinction: the metadata that tells calls apart.
    public init(methods: Set<String> = [], distinguishing distinction: MetadataDistinction = .all) {
        self.methods = methods
        self.distinction = distinction
    }

    /// Shared calls that are under way.
    public var running: Int { flights.count }

    /// Joins a call that asks the same, or sends this one.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard call.method.idempotency == .noSideEffects || methods.contains(call.method.path),
            let key = CallKey(call, distinction), let flight = flights.board(key, call, next)
        else { return try await next(call) }
        do {
            return try await flight.answer()
        } catch let error as RPCError where error.code == .deadlineExceeded && flight.deadline < call.deadline {
            return try await next(call)
        }
    }
}

/// The shared calls of a channel, by what they ask.
private final class Flights: Sendable {
    private let all = Mutex<[CallKey: Flight]>([:])

    var count: Int { all.withLock { $0.count } }

    /// A place in the flight of this key, which starts now if there is none; nil when the caller is to ask alone.
    func board(_ key: CallKey, _ call: ClientCall, _ next: ClientNext) -> Flight? {
        let (flight, starts) = all.withLock { all -> (Flight?, Bool) in
            if let flight = all[key] {
                switch flight.board(call.deadline) {
                case .shared: return (flight, false)
                case .alone: return (nil, false)
                case .next: break
                }
            }
            let flight = Flight(call.deadline)
            all[key] = flight
            return (flight, true)
        }
        if starts, let flight {
            flight.start(call, next) { self.remove(key, flight) }
        }
        return flight
    }

    private func remove(_ key: CallKey, _ flight: Flight) {
        all.withLock { if $0[key] === flight { $0[key] = nil } }
    }
}

/// One call with several callers.
private final class Flight: Sendable {
    private typealias Place = UnsafeContinuation<ClientResponse, any Error>

    private struct State {
        var course: FlightCourse
        var lastID: UInt64 = 0
        var places: [UInt64: Place] = [:]
        var result: Result<ClientResponse, any Error>?
        var task: Task<Void, Never>?
    }

    let deadline: CallDeadline
    private let state: Mutex<State>

    init(_ deadline: CallDeadline) {
        self.deadline = deadline
        state = Mutex(State(course: FlightCourse(deadline)))
    }

    /// Another caller wants its answer.
    func board(_ deadline: CallDeadline) -> FlightCourse.Boarding { state.withLock { $0.course.board(deadline) } }

    func start(_ call: ClientCall, _ next: ClientNext, ended: @escaping @Sendable () -> Void) {
        // A task of its own: it must not end with the caller that happened to come first.
        let task = Task {
            let result: Result<ClientResponse, any Error>
            do {
                result = .success(try await next(call))
            } catch {
                result = .failure(error)
            }
            ended()
            self.land(result)
        }
        let isAbandoned = state.withLock { state in
            state.task = task
            return state.course.isAbandoned
        }
        if isAbandoned { task.cancel() }
    }

    /// Waits for the answer.
    ///
    /// - Throws: the shared call's error; `CancellationError` when the caller's own task was cancelled.
    func answer() async throws -> ClientResponse {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { place in self.wait(id, place) }
        } onCancel: {
            if let place = self.state.withLock({ $0.places.removeValue(forKey: id) }) {
                self.leave()
                place.resume(throwing: CancellationError())
            }
        }
    }

    private func wait(_ id: UInt64, _ place: Place) {
        let answer = state.withLock { state -> Result<ClientResponse, any Error>? in
            if let result = state.result { return result }
            // Asked under the lock that the cancellation handler takes: it finds the task here, or is seen.
            if Task.isCancelled { return .failure(CancellationError()) }
            state.places[id] = place
            return nil
        }
        guard let answer else { return }
        leave()
        place.resume(with: answer)
    }

    private func leave() {
        let task = state.withLock { state in
            state.course.leave()
            return state.course.isAbandoned ? state.task : nil
        }
        task?.cancel()
    }

    private func land(_ result: Result<ClientResponse, any Error>) {
        let places = state.withLock { state in
            state.course.land()
            state.result = result
            defer { state.places = [:] }
            return state.places.values
        }
        for place in places { place.resume(with: result) }
    }
}

extension SingleFlight: DescribedPolicy {
    /// Which calls share an answer, and how many shared calls are under way.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("methods", listing: methods.sorted()), PolicyValue("distinguishing", distinction),
            PolicyValue("running", running),
        ]
    }
}
