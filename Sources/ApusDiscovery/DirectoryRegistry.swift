// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A registry for the processes of one machine: a folder with a sub-folder for each service, and in it one small JSON
/// file for each instance.
///
/// An entry is written as a whole or not at all, and is good for a lease after its file was last touched. Its owner
/// touches it three times in a lease, which wakes nobody; an owner that dies lets it expire, readers then skip it, and
/// writers sweep it away after four more leases. An owner that was suspended for too long writes its entry anew.
/// An operator keeps calls away from an instance with a member `"draining": true` in its entry (`apus registry drain`).
///
/// Changes are seen by inotify. Where that is missing (other systems than Linux, or no more watches to be had) the
/// folder is looked at once a second. One thread does all of this; it starts with the first use, and ends when the
/// registry is closed, or when it and its registrations and watches are all released. Then its entries leave.
public final class DirectoryRegistry: Registry {
    private let worker: DirectoryWorker

    /// A registry in a folder, which is made when it is missing.
    ///
    /// - Parameters:
    ///   - path: the folder, the same for all processes.
    ///   - lease: how long an entry outlives its owner; held within 100 milliseconds and a day.
    ///   - onProblem: is told in one line of every entry that is skipped and every heartbeat that fails, on the
    ///     registry's thread; nil writes the line to the standard error.
    public convenience init(
        path: String, lease: Duration = .seconds(10), onProblem: (@Sendable (String) -> Void)? = nil
    ) {
        self.init(path: path, lease: lease, clock: .system, onProblem: onProblem)
    }

    package init(path: String, lease: Duration, clock: LeaseClock, onProblem: (@Sendable (String) -> Void)?) {
        let milliseconds = min(max(lease.saturatedNanoseconds / 1_000_000, 100), 86_400_000)
        worker = DirectoryWorker(
            root: path, lease: .milliseconds(milliseconds), clock: clock,
            report: onProblem ?? { standardError("apus: \($0)") })
    }

    deinit { worker.post(.close {}) }

    /// Writes the instance's entry and keeps it alive.
    public func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration {
        let worker = worker
        let error: RPCError? = await withCheckedContinuation { continuation in
            worker.post(.register(instance) { continuation.resume(returning: $0) })
        }
        if let error { throw error }
        let key = OwnedEntries.Key(service: instance.service, id: instance.id)
        // Keeps the registry, and with it the heartbeat, alive.
        return Registration { [self] in await leave(key) }
    }

    /// Follows the entries of a service.
    public func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        let feed = RegistryFeed(onUpdate)
        worker.post(.watch(service, feed))
        return RegistryWatch { [self] in
            feed.cancel()
            worker.post(.unwatch(service, feed))
        }
    }

    /// Takes all instances of this object out of the registry, and ends its thread. Watches hear nothing more.
    public func close() async {
        let worker = worker
        await withCheckedContinuation { continuation in
            worker.post(.close { continuation.resume() })
        }
    }

    /// Makes the thread look at its clocks, and waits until it has done what is due.
    package func settle() async {
        let worker = worker
        await withCheckedContinuation { continuation in
            worker.post(.settle { continuation.resume() })
        }
    }

    private func leave(_ key: OwnedEntries.Key) async {
        let worker = worker
        await withCheckedContinuation { continuation in
            worker.post(.leave(key) { continuation.resume() })
        }
    }
}
