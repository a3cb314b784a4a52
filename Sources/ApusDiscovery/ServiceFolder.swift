// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The reader's side of one service's folder: which entries are there, and which of them live.
struct ServiceFolder {
    /// Entries beyond this number are not read.
    static let maximumEntries = 10_000
    static let suffix = ".json"
    static let temporaryPrefix = ".tmp-"

    let service: String
    let path: String
    private(set) var live: [Endpoint] = []
    /// The moment at which the next living entry expires, if its owner does nothing.
    private(set) var nextExpiry: MonotonicInstant?
    private var files: [String: File] = [:]
    // When the folder could be read last, and whether it could not since.
    private var lastScan: MonotonicInstant?
    private var isOutage = false

    /// A file as it was when it was read.
    private struct File {
        let stamp: FileStamp
        let content: Content
    }

    private enum Content {
        case entry(RegistryEntry, ObservedLease)
        case problem
        /// A temporary file: whose owner may have died before it was renamed.
        case temporary(ObservedLease)
    }

    init(service: String, path: String) {
        self.service = service
        self.path = path
    }

    /// Looks at every file; reads those that changed. A folder that is not there has no entries.
    ///
    /// - Parameters:
    ///   - root: the folder of the registry: without it nothing is known, and what was known stays.
    ///   - report: is told once of each version of a file that is no entry.
    mutating func scan(_ clock: LeaseClock, in root: String, report: (String) -> Void) throws(FileError) {
        do throws(FileError) {
            guard Files.isFolder(root) else { throw FileError("read the folder", root, code: FileError.missing) }
            try scan(clock, report: report)
        } catch {
            isOutage = true
            throw error
        }
    }

    private mutating func scan(_ clock: LeaseClock, report: (String) -> Void) throws(FileError) {
        var found: [String: File] = [:]
        let names = try names().prefix(Self.maximumEntries)
        for name in names { found[name] = file(name, clock, report) }
        files = found
        let now = clock.monotonic.now
        if isOutage, let lastScan { outageEnded(since: lastScan, now: now) }
        (lastScan, isOutage) = (now, false)
        judge(names, at: now)
    }

    // Nobody could renew an entry while nobody could read one.
    private mutating func outageEnded(since last: MonotonicInstant, now: MonotonicInstant) {
        for (name, file) in files {
            guard case .entry(let entry, var lease) = file.content else { continue }
            lease.outageEnded(since: last, now: now)
            files[name] = File(stamp: file.stamp, content: .entry(entry, lease))
        }
    }

    /// Removes the files of owners that are long gone.
    func sweep(at now: MonotonicInstant, report: (String) -> Void) {
        for (name, file) in files {
            switch file.content {
            case .entry(_, let lease), .temporary(let lease):
                guard lease.canBeSwept(at: now) else { continue }
                do throws(FileError) { try Files.remove("\(path)/\(name)") } catch { report("\(error)") }
            case .problem: continue
            }
        }
    }

    private func names() throws(FileError) -> [String] {
        do {
            return try Files.names(in: path).filter { $0.hasSuffix(Self.suffix) || $0.hasPrefix(Self.temporaryPrefix) }
        } catch {
            if error.isMissing { return [] }
            throw error
        }
    }

    private mutating func judge(_ names: ArraySlice<String>, at now: MonotonicInstant) {
        live = []
        nextExpiry = nil
        for name in names {
            guard case .entry(let entry, let lease) = files[name]?.content else { continue }
            guard !entry.isDraining, !lease.hasExpired(at: now) else { continue }
            live.append(entry.instance.place)
            nextExpiry = min(nextExpiry ?? lease.expires, lease.expires)
        }
    }

    // Nil when the file is not there any more.
    private func file(_ name: String, _ clock: LeaseClock, _ report: (String) -> Void) -> File? {
        let filePath = "\(path)/\(name)"
        guard let stamp = try? Files.stamp(of: filePath) else { return nil }
        if let known = files[name], known.stamp == stamp { return known }
        do throws(FileError) {
            return File(stamp: stamp, content: try content(name, filePath, stamp, clock, report))
        } catch {
            if error.isMissing { return nil }
            report("the registry entry \(filePath) is skipped: \(error)")
            return File(stamp: stamp, content: .problem)
        }
    }

    private func content(
        _ name: String, _ filePath: String, _ stamp: FileStamp, _ clock: LeaseClock, _ report: (String) -> Void
    ) throws(FileError) -> Content {
        if name.hasPrefix(Self.temporaryPrefix) { return .temporary(observed(nil, stamp, .seconds(60), clock)) }
        let bytes = stamp.isRegular ? try Files.read(filePath, limit: RegistryEntry.maximumBytes) : []
        do throws(RegistryEntry.Problem) {
            guard stamp.isRegular else { throw RegistryEntry.Problem("it is no regular file") }
            let entry = try RegistryEntry(decoding: bytes)
            try check(entry.instance, name)
            return .entry(entry, observed(files[name], stamp, entry.lease, clock))
        } catch {
            report("the registry entry \(filePath) is skipped: \(error.text)")
            return .problem
        }
    }

    private func check(_ instance: ServiceInstance, _ name: String) throws(RegistryEntry.Problem) {
        guard instance.service == service else {
            throw RegistryEntry.Problem("its service is '\(instance.service)', but it lies among those of '\(service)'")
        }
        guard EntryName.encoded(instance.id).map({ $0 + Self.suffix }) == name else {
            throw RegistryEntry.Problem("its id '\(instance.id)' does not fit its file's name")
        }
    }

    // A file whose time did not change goes on with the lease that it has.
    private func observed(
        _ known: File?, _ stamp: FileStamp, _ duration: Duration, _ clock: LeaseClock
    ) -> ObservedLease {
        if case .entry(_, let lease) = known?.content, lease.modified == stamp.modified, lease.duration == duration {
            return lease
        }
        return ObservedLease(
            modified: stamp.modified, duration: duration, wall: clock.wall(), now: clock.monotonic.now)
    }
}
