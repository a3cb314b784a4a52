// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The writer's side of a directory registry: the entries of this process, and their heartbeats.
struct OwnedEntries {
    struct Key: Hashable, Sendable {
        let service: String
        let id: String
    }

    private struct Owned {
        let bytes: [UInt8]
        let folder: String
        let path: String
        var lease: Lease
        // Why the last heartbeat failed.
        var problem: FileError?
    }

    private let root: String
    private let lease: Duration
    private let clock: LeaseClock
    private let process: String
    private var entries: [Key: Owned] = [:]
    private var temporaries = 0

    /// - Parameter process: tells this process' temporary files from those of all others.
    init(root: String, lease: Duration, clock: LeaseClock, process: String) {
        self.root = root
        self.lease = lease
        self.clock = clock
        self.process = process
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The services in which this process has entries.
    var services: Set<String> { Set(entries.keys.map(\.service)) }

    var nextHeartbeat: MonotonicInstant? { entries.values.map(\.lease.nextHeartbeat).min() }

    /// Writes an entry.
    ///
    /// - Throws: as ``Registry/register(_:)``.
    mutating func add(_ instance: ServiceInstance) throws(RPCError) {
        guard let service = EntryName.encoded(instance.service), let id = EntryName.encoded(instance.id) else {
            throw RPCError(.invalidArgument, "the name of a service and the id of an instance have 1 to 180 characters")
        }
        let key = Key(service: instance.service, id: instance.id)
        guard entries[key] == nil else {
            throw RPCError(.alreadyExists, "'\(key.service)' has an instance '\(key.id)' already")
        }
        let folder = "\(root)/\(service)"
        var owned = Owned(
            bytes: try RegistryEntry(instance, lease: lease).encoded(), folder: folder,
            path: "\(folder)/\(id)\(ServiceFolder.suffix)", lease: Lease(lease, renewed: clock.monotonic.now))
        do throws(FileError) {
            try write(&owned)
        } catch {
            throw RPCError(.unavailable, "'\(key.service)' cannot be registered: \(error)", progress: .notSent)
        }
        entries[key] = owned
    }

    /// Removes an entry; one that is not there is fine.
    mutating func remove(_ key: Key) throws(FileError) {
        guard let owned = entries.removeValue(forKey: key) else { return }
        try Files.remove(owned.path)
    }

    /// Removes all entries.
    mutating func removeAll(report: (String) -> Void) {
        for key in entries.keys {
            do throws(FileError) { try remove(key) } catch { report("\(error)") }
        }
    }

    /// Renews every entry whose heartbeat is due. One that fails is tried again with the next; its reason is reported
    /// once, until it is another one or the heartbeat goes on.
    mutating func beat(report: (String) -> Void) {
        let now = clock.monotonic.now
        for (key, owned) in entries where owned.lease.nextHeartbeat <= now {
            var renewed = owned
            renewed.lease.attempt(at: now)
            do throws(FileError) {
                try renew(&renewed)
                renewed.problem = nil
            } catch {
                renewed.problem = error
            }
            let name = "the lease of '\(key.id)' of '\(key.service)'"
            switch (owned.problem, renewed.problem) {
            case (_?, nil): report("\(name) is renewed again")
            case (let old, let new?) where old?.isLike(new) != true: report("\(name) is not renewed: \(new)")
            default: break
            }
            entries[key] = renewed
        }
    }

    private mutating func renew(_ owned: inout Owned) throws(FileError) {
        let start = clock.monotonic.now
        do throws(FileError) {
            try Files.touch(owned.path, modified: clock.wall())
            guard owned.lease.touched(from: start, to: clock.monotonic.now) else { return }
        } catch {
            guard error.isMissing else { throw error }
        }
        // Swept while this process was suspended, or perhaps taken for dead: only a new file wakes the readers.
        try write(&owned)
    }

    private mutating func write(_ owned: inout Owned) throws(FileError) {
        let start = clock.monotonic.now
        try Files.makeFolder(owned.folder)
        temporaries += 1
        let way = "\(owned.folder)/\(ServiceFolder.temporaryPrefix)\(process)-\(temporaries)"
        try Files.write(owned.bytes, to: owned.path, by: way, modified: clock.wall())
        _ = owned.lease.touched(from: start, to: start)
    }
}
