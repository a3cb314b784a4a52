// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What the thread of a directory registry does: commands, file events, heartbeats, expiry. Confined to that thread.
final class DirectoryLoop {
    // Where there are no events, and while a folder cannot be read.
    private static let pollInterval = Duration.seconds(1)

    private let root: String
    private let lease: Duration
    private let clock: LeaseClock
    private let report: @Sendable (String) -> Void
    private let events: FolderEvents?
    private var owned: OwnedEntries
    private var services: [String: FollowedService] = [:]
    private var rootWatch: Int32?
    private var version: UInt64 = 0
    private var replies: [@Sendable () -> Void] = []
    private var closing: [@Sendable () -> Void] = []
    private(set) var isClosed = false

    init(_ worker: DirectoryWorker) {
        root = worker.root
        lease = worker.lease
        clock = worker.clock
        report = worker.report
        owned = OwnedEntries(root: root, lease: lease, clock: clock, process: "\(processID())-\(uniqueNumber())")
        events = FolderEvents()
        // A failure shows when the folder is read.
        try? Files.makeFolder(root)
    }

    /// Does all that is due now.
    func turn(_ commands: [DirectoryWorker.Command]) {
        for command in commands { perform(command) }
        guard !isClosed else { return }
        takeEvents()
        owned.beat(report: report)
        let now = clock.monotonic.now
        for (service, followed) in services where followed.nextLook <= now { look(service) }
        for reply in replies { reply() }
        replies = []
    }

    /// Sleeps until something is due, a file changes, or a command arrives.
    func wait(_ pipe: WakePipe) {
        let due = services.values.map(\.nextLook) + [owned.nextHeartbeat].compactMap { $0 }
        let pause = due.min().map { clock.monotonic.now.duration(to: $0).saturatedNanoseconds } ?? .max
        // Rounded up, so that it does not wake too early again and again.
        let milliseconds = max(0, min(pause, 60_000_000_000) + 999_999) / 1_000_000
        waitForInput([pipe.readEnd, events?.descriptor ?? -1], milliseconds: Int32(milliseconds))
        pipe.drain()
    }

    /// Takes this process' entries out of the registry.
    ///
    /// - Returns: what to call when the thread's resources are given back.
    func end() -> [@Sendable () -> Void] {
        owned.removeAll(report: report)
        return replies + closing
    }

    private func perform(_ command: DirectoryWorker.Command) {
        switch command {
        case .register(let instance, let reply): reply(register(instance))
        case .leave(let key, let reply):
            leave(key)
            reply()
        case .watch(let service, let feed): watch(service, feed)
        case .unwatch(let service, let feed):
            services[service]?.feeds.removeAll { $0.feed === feed }
            forgetIfUnused(service)
        case .settle(let reply): replies.append(reply)
        case .close(let reply):
            closing.append(reply)
            isClosed = true
        }
    }

    private func register(_ instance: ServiceInstance) -> RPCError? {
        do throws(RPCError) {
            try owned.add(instance)
        } catch {
            return error
        }
        services[instance.service, default: followed(instance.service)].nextLook = clock.monotonic.now
        return nil
    }

    private func leave(_ key: OwnedEntries.Key) {
        do throws(FileError) { try owned.remove(key) } catch { report("an entry stays until it expires: \(error)") }
        services[key.service]?.nextLook = clock.monotonic.now
        forgetIfUnused(key.service)
    }

    private func watch(_ service: String, _ feed: RegistryFeed) {
        guard EntryName.encoded(service) != nil else {
            let error = RPCError(.invalidArgument, "the name of a service has 1 to 180 characters")
            return feed.publish(.failure(error), version: .max)
        }
        services[service, default: followed(service)].add(feed, at: clock.monotonic.now)
    }

    private func followed(_ service: String) -> FollowedService {
        let path = "\(root)/\(EntryName.encoded(service) ?? "%")"
        return FollowedService(ServiceFolder(service: service, path: path), nextLook: clock.monotonic.now)
    }

    private func forgetIfUnused(_ service: String) {
        guard let followed = services[service], followed.feeds.isEmpty, !owned.services.contains(service) else {
            return
        }
        if let number = followed.watchNumber { events?.unwatch(number) }
        services[service] = nil
    }
}

extension DirectoryLoop {
    private func takeEvents() {
        for event in events?.take() ?? [] {
            switch event {
            case .changed(let folder, let name) where folder == rootWatch:
                lookAgain { $0.folder.path == "\(self.root)/\(name)" }
            case .changed(let folder, let name):
                if !name.hasPrefix(".") { lookAgain { $0.watchNumber == folder } }
            case .gone(let folder): forget(folder)
            case .lost: lookAgain { _ in true }
            }
        }
    }

    private func lookAgain(_ matches: (FollowedService) -> Bool) {
        let now = clock.monotonic.now
        for (service, followed) in services where matches(followed) { services[service]?.nextLook = now }
    }

    // A folder that was moved is still watched under its old number: end that too.
    private func forget(_ folder: Int32) {
        events?.unwatch(folder)
        if folder == rootWatch {
            rootWatch = nil
            lookAgain { _ in true }
        } else {
            lookAgain { $0.watchNumber == folder }
            for (service, followed) in services where followed.watchNumber == folder {
                services[service]?.watchNumber = nil
            }
        }
    }

    private func look(_ service: String) {
        guard var followed = services[service] else { return }
        // Watched first, then read: what changes in between is read or seen.
        let hasEvents = followed.feeds.isEmpty || watchFolders(&followed)
        let update = read(&followed.folder)
        let now = clock.monotonic.now
        if owned.services.contains(service) { followed.folder.sweep(at: now, report: report) }
        if case .failure(let error) = update, followed.last != update { report(error.message) }
        let isReliable = hasEvents && (try? update.get()) != nil
        followed.nextLook = isReliable ? nextLook(followed.folder, now) : now.advanced(by: Self.pollInterval)
        version += 1
        let feeds = followed.feedsToTell(update)
        services[service] = followed
        for feed in feeds { feed.publish(update, version: version) }
    }

    // Entries that expire one after the other are looked at together.
    private func nextLook(_ folder: ServiceFolder, _ now: MonotonicInstant) -> MonotonicInstant {
        let latest = now.advanced(by: lease)
        guard let expiry = folder.nextExpiry else { return latest }
        return min(latest, max(expiry, now.advanced(by: lease / 10)))
    }

    private func read(_ folder: inout ServiceFolder) -> RegistryUpdate {
        do throws(FileError) {
            try folder.scan(clock, in: root, report: report)
            return .success(folder.live)
        } catch {
            return .failure(RPCError(.unavailable, "the registry cannot be read: \(error)", progress: .notConnected))
        }
    }

    /// Tells whether every change will be heard of.
    private func watchFolders(_ followed: inout FollowedService) -> Bool {
        do throws(FileError) {
            guard events != nil, let rootNumber = try events?.watch(root) else { return false }
            rootWatch = rootNumber
        } catch {
            return false
        }
        do throws(FileError) {
            followed.watchNumber = try events?.watch(followed.folder.path)
            return true
        } catch {
            followed.watchNumber = nil
            // The folder's coming is an event of the root.
            return error.isMissing
        }
    }
}

/// A service that is watched, or in which this process has entries.
struct FollowedService {
    var folder: ServiceFolder
    var feeds: [(feed: RegistryFeed, isNew: Bool)] = []
    var watchNumber: Int32?
    /// When the folder is to be read again.
    var nextLook: MonotonicInstant
    private(set) var last: RegistryUpdate?

    init(_ folder: ServiceFolder, nextLook: MonotonicInstant) {
        self.folder = folder
        self.nextLook = nextLook
    }

    mutating func add(_ feed: RegistryFeed, at now: MonotonicInstant) {
        feeds.append((feed, true))
        nextLook = now
    }

    /// All feeds when the update is news, else those that have had none.
    mutating func feedsToTell(_ update: RegistryUpdate) -> [RegistryFeed] {
        let isNews = update != last
        let told = feeds.filter { isNews || $0.isNew }.map(\.feed)
        last = update
        feeds = feeds.map { ($0.feed, false) }
        return told
    }
}

private func uniqueNumber() -> UInt64 { SplitMixRandom.shared.next() }
