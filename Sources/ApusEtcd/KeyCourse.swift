// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How the value of one key is followed: it is read at one revision, then each change behind that is told.
///
/// A watch that breaks goes on behind the last revision of which it knows all; when etcd cannot tell what came behind
/// that, the key is read anew. What is the same as before is told only when a failure was told in between.
struct KeyCourse {
    typealias Document = Result<[UInt8], RPCError>

    /// What to ask etcd next.
    enum Step: Equatable {
        case read(EtcdRangeRequest)
        case follow(EtcdWatchCreateRequest)
    }

    /// What an answer to a watch means.
    enum Answer: Equatable {
        case none
        case document(Document)
        /// This watch is over: ask for the next step.
        case end
    }

    private let key: [UInt8]
    private let missing: Document
    /// The last revision of which all is known; nil makes it read the key.
    private var revision: Int64?
    /// The last value, or that there is none.
    private var known: Document?
    private var told: Document?
    /// Failures since etcd last did what it was asked.
    private(set) var failures = 0

    init(key: String) {
        self.key = Array(key.utf8)
        missing = .failure(RPCError(.notFound, "etcd has no key '\(key)'"))
    }

    var step: Step {
        guard let revision else { return .read(EtcdRangeRequest(key: key)) }
        return .follow(EtcdWatchCreateRequest(key: key, startRevision: revision + 1, progressNotify: true))
    }

    /// The key was read.
    ///
    /// - Returns: its value, if that is news.
    mutating func read(_ response: EtcdRangeResponse) throws(RPCError) -> Document? {
        guard let at = response.header?.revision, at > 0, at < .max else {
            throw RPCError(.internal, "etcd has told a key without a revision")
        }
        revision = at
        known = response.kvs.first.map { .success($0.value) } ?? missing
        return news()
    }

    /// etcd has said something in a watch.
    ///
    /// - Throws: why the watch has ended.
    mutating func received(_ response: EtcdWatchResponse) throws(RPCError) -> Answer {
        if response.canceled { return try cancelled(response) }
        if response.created { try created(response) }
        if let event = response.events.last {
            known = event.type == .put ? event.kv.map { .success($0.value) } ?? known : missing
        }
        // The header of a response with events may be ahead of them while etcd still catches up.
        let at = response.events.last?.kv?.modRevision ?? (response.created ? 0 : response.header?.revision ?? 0)
        if let last = revision, at > last, at < .max { revision = at }
        return news().map(Answer.document) ?? .none
    }

    /// A call to etcd failed, or its watch ended.
    ///
    /// - Returns: what those who read should hear: once in an outage.
    mutating func failed(_ error: RPCError) -> Document? {
        failures = min(failures + 1, 1000)
        if error.code == .outOfRange { revision = nil }
        if case .failure(let last) = told, last.code == error.code { return nil }
        told = .failure(error)
        return told
    }

    private mutating func news() -> Document? {
        guard told != known else { return nil }
        told = known
        return known
    }

    private mutating func created(_ response: EtcdWatchResponse) throws(RPCError) {
        // An etcd that was restored from a backup would stay silent until it has caught up with our revision.
        if let header = response.header, let last = revision, header.revision < last {
            revision = nil
            throw RPCError(.unavailable, "etcd is at revision \(header.revision), but was at \(last) before")
        }
        failures = 0
    }

    private mutating func cancelled(_ response: EtcdWatchResponse) throws(RPCError) -> Answer {
        guard response.compactRevision > 0 else {
            throw RPCError(.unavailable, "etcd has ended the watch: \(response.cancelReason)")
        }
        revision = nil
        return .end
    }
}
