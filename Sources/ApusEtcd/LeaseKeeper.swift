// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import Synchronization

/// Keeps one instance in etcd until it leaves.
final class LeaseKeeper: Sendable {
    private let client: EtcdClient
    private let key: [UInt8]
    private let value: [UInt8]
    private let state: Mutex<(course: LeaseCourse, task: Task<Void, Never>?)>

    /// - Throws: INVALID_ARGUMENT for an instance that no value can say.
    init(_ instance: ServiceInstance, _ client: EtcdClient) throws(RPCError) {
        self.client = client
        value = try EtcdEntry.encoded(instance)
        key = EtcdEntry.key(of: instance)
        state = Mutex((LeaseCourse(now: client.clock.now), nil))
    }

    /// Puts the key, under a lease of its own, and keeps it there from then on.
    ///
    /// - Throws: ALREADY_EXISTS when the key is there; why etcd could not be asked.
    func begin() async throws(RPCError) {
        do throws(RPCError) {
            try await beginOnce()
        } catch {
            // The lease ended before it was used: this process, or its machine, stood still. The next one is new.
            guard error.code == .notFound else { throw error }
            try await beginOnce()
        }
    }

    private func beginOnce() async throws(RPCError) {
        let start = client.clock.now
        let granted = try await client.grant()
        do throws(RPCError) {
            guard try await client.add(key, value, lease: granted.lease) else {
                let name = String(decoding: key, as: UTF8.self)
                throw RPCError(.alreadyExists, "etcd has a key '\(name)' already")
            }
        } catch {
            // Also where the answer got lost: nobody would keep it alive.
            _ = await revoke(granted.lease)
            throw error
        }
        state.withLock { state in
            state.course.granted(granted.lease, seconds: granted.seconds, at: start)
            state.course.put(at: start)
            state.task = Task { await self.run() }
        }
    }

    /// Ends the lease: etcd removes the key with it, and no key that somebody else has put in its place.
    func leave() async {
        await stop()
        guard let lease = state.withLock({ $0.course.lease }) else { return }
        if let error = await revoke(lease), error.code != .notFound {
            tell("the lease could not be ended, and expires by itself: \(error)")
        }
    }

    // In a task of its own: a server whose task was cancelled leaves all the same.
    private func revoke(_ lease: Int64) async -> RPCError? {
        await Task { [client] in
            do throws(RPCError) {
                try await client.revoke(lease)
                return nil
            } catch {
                return error
            }
        }.value
    }

    /// Lets the lease expire.
    func stop() async {
        let task = state.withLock { $0.task.take() }
        task?.cancel()
        await task?.value
    }

    private func run() async {
        while !Task.isCancelled {
            let (step, due) = state.withLock { ($0.course.step, $0.course.due) }
            do {
                try await client.clock.sleep(until: due)
                try await take(step)
            } catch is CancellationError {
                return
            } catch {
                failed(RPCError(wrapping: error), step)
            }
        }
    }

    private func take(_ step: LeaseCourse.Step) async throws(RPCError) {
        let start = client.clock.now
        switch step {
        case .grant:
            let granted = try await client.grant()
            state.withLock { $0.course.granted(granted.lease, seconds: granted.seconds, at: start) }
        case .put(let lease):
            try await client.put(key, value, lease: lease)
            state.withLock { $0.course.put(at: start) }
        case .keepAlive(let lease):
            let seconds = try await client.keepAlive(lease)
            state.withLock { $0.course.keptAlive(seconds: seconds, at: start) }
            if seconds <= 0 { tell("the lease is gone: the key is put anew") }
        }
    }

    private func failed(_ error: RPCError, _ step: LeaseCourse.Step) {
        guard !Task.isCancelled else { return }
        let (now, unit) = (client.clock.now, client.random.unit())
        state.withLock { $0.course.failed(error.code, at: now, unit: unit) }
        tell("\(step) failed: \(error)")
    }

    private func tell(_ text: String) {
        client.report("etcd: '\(String(decoding: key, as: UTF8.self))': \(text)")
    }
}
