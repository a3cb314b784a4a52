// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Lets only so many calls of a server run at once: a fixed number, or one that follows latency or throughput.
///
/// A bounded queue by priority stands before it. When that is full, a call ends with RESOURCE_EXHAUSTED as soon as its
/// headers are there, before its message is read, unless it is more important than one that waits.
public struct ConcurrencyLimit: AdmittingInterceptor {
    private let gate: CallGate
    private let priority: CallPriority

    /// A limit for all calls that pass it.
    ///
    /// - Parameters:
    ///   - queue: calls that may wait.
    ///   - longestWait: how long one may wait.
    ///   - priorityKey: the metadata key that says how important a call is, from 0 to 9, the most important; a call
    ///     that says nothing has 5. nil treats all alike.
    ///   - name: what errors call it.
    public init(
        _ rule: ConcurrencyRule, queue: Int = 100, longestWait: Duration = .seconds(1), priorityKey: String? = nil,
        name: String = "calls", clock: any MonotonicClock = SystemClock()
    ) {
        gate = CallGate(name, rule, queue: queue, longestWait: longestWait, clock)
        priority = CallPriority(key: priorityKey)
    }

    /// The present limit.
    public var limit: Int { gate.limit }
    /// Calls that run.
    public var running: Int { gate.running }
    /// Calls that wait.
    public var waiting: Int { gate.waiting }

    /// Refuses a call that would find neither a place nor one in the queue.
    public func admit(_ head: ServerCallHead) throws(RPCError) {
        if let refusal = gate.refusal(priority.of(head.metadata)) { throw refusal }
    }

    /// Handles the call when there is a place.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when there is none; the handler's error.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        let began = try await gate.enter(priority.of(call.metadata), call.deadline)
        do {
            let response = try await next(call)
            gate.leave(began, succeeded: true)
            return response
        } catch {
            gate.leave(began, succeeded: false)
            throw error
        }
    }
}

/// Lets only so many calls to one downstream service run at once, so that one that hangs does not take all of a
/// process' memory and patience: others keep theirs. For channels; a streamed call runs until its end.
public struct Bulkhead: ClientInterceptor {
    private let gate: CallGate
    private let priority: CallPriority

    /// A bulkhead of a channel's calls.
    ///
    /// - Parameters:
    ///   - limit: calls that run at once, at least 1.
    ///   - queue: calls that may wait.
    ///   - longestWait: how long one may wait, within its deadline.
    ///   - priorityKey: as for ``ConcurrencyLimit``.
    ///   - name: what errors call it.
    public init(
        _ limit: Int, queue: Int = 0, longestWait: Duration = .seconds(1), priorityKey: String? = nil,
        name: String = "calls", clock: any MonotonicClock = SystemClock()
    ) {
        gate = CallGate(name, .fixed(limit), queue: queue, longestWait: longestWait, clock)
        priority = CallPriority(key: priorityKey)
    }

    /// Calls that run.
    public var running: Int { gate.running }
    /// Calls that wait.
    public var waiting: Int { gate.waiting }

    /// Sends the call when there is a place.
    ///
    /// - Throws: RESOURCE_EXHAUSTED, with nothing sent, when there is none.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let began = try await gate.enter(priority.of(call.metadata), call.deadline)
        do {
            let response = try await next(call)
            response.onEnd { [gate] in gate.leave(began, succeeded: $0 == nil) }
            return response
        } catch {
            gate.leave(began, succeeded: false)
            throw error
        }
    }
}

/// How important a call is, by its metadata.
struct CallPriority: Sendable {
    let key: String?

    func of(_ metadata: Metadata) -> Int {
        guard let key, let text = metadata[key] else { return AdmissionQueue.levels / 2 }
        return Int(text) ?? AdmissionQueue.levels / 2
    }
}

extension ConcurrencyLimit: DescribedPolicy {
    /// The rule, the limit that it gives now, and the queue.
    public var policyValues: [PolicyValue] { gate.policyValues + [PolicyValue("priorityKey", priority.key)] }
}

extension Bulkhead: DescribedPolicy {
    /// The limit and the queue.
    public var policyValues: [PolicyValue] { gate.policyValues + [PolicyValue("priorityKey", priority.key)] }
}
