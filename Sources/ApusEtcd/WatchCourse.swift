// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery

/// How a service's instances are followed: all of them are listed at one revision, then each change behind it is told.
///
/// A watch that breaks goes on behind the last revision that it has told of. History that etcd has compacted, or lost,
/// cannot be told any more: then all are listed anew, and the last list stays until they are.
struct WatchCourse {
    /// What to ask etcd next.
    enum Step: Equatable {
        case list(EtcdRangeRequest)
        case follow(EtcdWatchCreateRequest)
    }

    /// What an answer to a watch means.
    enum Answer: Equatable {
        case none
        case update([Endpoint])
        /// This watch is over: ask for the next step.
        case end
    }

    private static let largestPage: Int64 = 256

    private let service: String
    private let prefix: [UInt8]
    private let maximumInstances: Int
    private var page = largestPage
    /// The list that is being read, page by page, at one revision; nil while none is.
    private var listing: (instances: [[UInt8]: Endpoint], from: [UInt8], revision: Int64)?
    private var instances: [[UInt8]: Endpoint] = [:]
    /// The last revision of which all is known; nil makes a list due.
    private var revision: Int64?
    private var outage: Status.Code?
    private var problems: [String] = []
    /// Failures since etcd last did what it was asked.
    private(set) var failures = 0

    init(service: String, maximumInstances: Int) {
        self.service = service
        prefix = EtcdEntry.prefix(of: service)
        self.maximumInstances = maximumInstances
    }

    var step: Step {
        let end = EtcdEntry.end(ofPrefix: prefix)
        guard let revision, listing == nil else {
            return .list(
                EtcdRangeRequest(
                    key: listing?.from ?? prefix, rangeEnd: end, limit: page, revision: listing?.revision ?? 0))
        }
        return .follow(
            EtcdWatchCreateRequest(
                key: prefix, rangeEnd: end, startRevision: revision + 1, progressNotify: true, fragment: true))
    }

    /// Lines about entries that were skipped, each once.
    mutating func takeProblems() -> [String] {
        defer { problems = [] }
        return problems
    }

    /// A page of the list is here.
    ///
    /// - Returns: all instances, with the last page.
    /// - Throws: RESOURCE_EXHAUSTED when they are too many.
    mutating func listed(_ response: EtcdRangeResponse) throws(RPCError) -> [Endpoint]? {
        guard let at = listing?.revision ?? response.header?.revision, at > 0, at < .max else {
            throw RPCError(.internal, "etcd has listed '\(service)' without a revision")
        }
        var read = listing?.instances ?? [:]
        for pair in response.kvs { read[pair.key] = endpoint(in: pair) }
        try check(read.count)
        if response.more, let last = response.kvs.last {
            listing = (read, last.key + [0], at)
            return nil
        }
        listing = nil
        instances = read
        revision = at
        outage = nil
        return endpoints
    }

    /// etcd has said something in a watch.
    ///
    /// - Throws: why the watch has ended.
    mutating func received(_ response: EtcdWatchResponse) throws(RPCError) -> Answer {
        if response.canceled { return try cancelled(response) }
        if response.created { return try created(response) }
        for event in response.events { try apply(event) }
        advance(response)
        return response.events.isEmpty || response.fragment ? .none : .update(endpoints)
    }

    /// A call to etcd failed, or its watch ended.
    ///
    /// - Returns: whether those who watch should hear it: once in an outage.
    mutating func failed(_ error: RPCError) -> Bool {
        failures = min(failures + 1, 1000)
        let wasListing = listing != nil
        listing = nil
        if error.code == .resourceExhausted { page = max(1, page / 2) }
        // The pages' revision was compacted meanwhile: the next list has a newer one.
        if error.code == .outOfRange {
            revision = nil
            if wasListing { return false }
        }
        defer { outage = error.code }
        return outage != error.code
    }

    // In the keys' order, so that the same instances are the same list.
    private var endpoints: [Endpoint] {
        instances.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    private func check(_ count: Int) throws(RPCError) {
        guard count <= maximumInstances else {
            throw RPCError(.resourceExhausted, "'\(service)' has more than \(maximumInstances) instances in etcd")
        }
    }

    private mutating func created(_ response: EtcdWatchResponse) throws(RPCError) -> Answer {
        // An etcd that was restored from a backup would stay silent until it has caught up with our revision.
        if let header = response.header, let known = revision, header.revision < known {
            revision = nil
            throw RPCError(.unavailable, "etcd is at revision \(header.revision), but was at \(known) before")
        }
        failures = 0
        defer { outage = nil }
        return outage == nil ? .none : .update(endpoints)
    }

    private mutating func cancelled(_ response: EtcdWatchResponse) throws(RPCError) -> Answer {
        guard response.compactRevision > 0 else {
            throw RPCError(.unavailable, "etcd has ended the watch: \(response.cancelReason)")
        }
        revision = nil
        return .end
    }

    private mutating func apply(_ event: EtcdEvent) throws(RPCError) {
        guard let pair = event.kv else { return }
        guard event.type == .put else {
            instances[pair.key] = nil
            return
        }
        instances[pair.key] = endpoint(in: pair)
        do {
            try check(instances.count)
        } catch {
            revision = nil
            throw error
        }
    }

    // The header of a response with events may be ahead of them while etcd still catches up. A revision in parts is
    // known when its last part is.
    private mutating func advance(_ response: EtcdWatchResponse) {
        guard !response.fragment else { return }
        let told = response.events.last?.kv?.modRevision ?? response.header?.revision ?? 0
        if let known = revision, told > known, told < .max { revision = told }
    }

    // What a bad value said before it became one stays.
    private mutating func endpoint(in pair: EtcdKeyValue) -> Endpoint? {
        do throws(EtcdEntry.Problem) {
            let entry = try EtcdEntry(decoding: pair.value)
            return (entry.service ?? service) == service ? entry.place(in: pair, of: prefix) : nil
        } catch {
            problems.append("etcd: the key '\(String(decoding: pair.key, as: UTF8.self))' is skipped: \(error.text)")
            return instances[pair.key]
        }
    }
}
