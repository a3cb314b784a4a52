// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// The calls that ended lately: those that failed, were slow or needed more than one try, and some of the others.
///
/// A call that went well and was not slow costs one comparison, but for a hundred each second. No call ever waits here:
/// when two end at once, one of them may be missing, and is counted.
package final class RecentCalls: Observer {
    /// Which calls are kept, and how many of each kind.
    package struct Rules: Sendable {
        /// A call that took longer is slow. Not one that streams: it takes as long as its messages come.
        package var slow = Duration.milliseconds(500)
        /// How many of each kind are kept.
        package var capacity = 50
        /// Calls that went well are taken no closer to each other than this.
        package var interval = Duration.milliseconds(10)

        package init() {}
    }

    /// A call that has ended.
    package struct Note: Sendable {
        /// Which end of the call this process was.
        package enum Side: String, Sendable {
            case client, server
        }

        package var side: Side
        package var method: String
        /// The channel's name; nil on servers.
        package var target: String?
        package var peer: Endpoint.Address?
        package var status: Status
        package var duration: Duration
        package var ended: MonotonicInstant
        package var attempts: Int
        package var tries: [CallRecord.Try]
        package var traceID: String?
    }

    /// What a call was.
    package enum Kind: Sendable, Hashable, CaseIterable {
        case failed, slow, retried, refused, other
    }

    private let rules: Rules
    private let clock: any MonotonicClock
    private let rings: Mutex<[Kind: NoteRing<Note>]>
    // When a call that went well was taken last, in nanoseconds.
    private let taken = Atomic<Int64>(.min)
    private let missed_ = Atomic<Int>(0)

    /// - Parameter clock: for calls that were refused before anybody measured them.
    package init(_ rules: Rules = Rules(), clock: any MonotonicClock = SystemClock()) {
        self.rules = rules
        self.clock = clock
        rings = Mutex(Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, NoteRing(capacity: rules.capacity)) }))
    }

    /// The calls of a kind, the newest first.
    package func notes(_ kind: Kind) -> [Note] { rings.withLock { $0[kind]?.newestFirst ?? [] } }

    /// Calls that were worth a note and have none, because another one was being written.
    package var missed: Int { missed_.load(ordering: .relaxed) }

    /// What a call is by its end, its time and its tries.
    ///
    /// - Parameter slow: nil for calls that are never slow.
    package static func kind(_ code: Status.Code, _ duration: Duration, slow: Duration?, isRetried: Bool) -> Kind {
        if code != .ok { return .failed }
        if let slow, duration > slow { return .slow }
        return isRetried ? .retried : .other
    }

    // Whether a call that went well may be taken: not so soon after another one.
    private func isDue(_ now: MonotonicInstant) -> Bool {
        let last = taken.load(ordering: .relaxed)
        guard last == .min || MonotonicInstant(nanoseconds: last).duration(to: now) >= rules.interval else {
            return false
        }
        return taken.compareExchange(expected: last, desired: now.nanoseconds, ordering: .relaxed).exchanged
    }

    private func take(
        _ record: CallRecord?, _ method: MethodDescriptor, _ error: RPCError?,
        _ note: (MonotonicInstant, Duration, Status) -> Note
    ) {
        guard let record, let duration = record.duration else { return }
        let ended = record.started.advanced(by: duration)
        let kind = Self.kind(
            error?.code ?? .ok, duration, slow: method.kind == .unary ? rules.slow : nil, isRetried: record.attempts > 1
        )
        guard kind != .other || isDue(ended) else { return }
        keep(note(ended, duration, error.map { Status($0.code, $0.message) } ?? .ok), as: kind)
    }

    private func keep(_ note: Note, as kind: Kind) {
        var note = note
        note.status = Self.shortened(note.status)
        note.tries = note.tries.map {
            CallRecord.Try(endpoint: $0.endpoint, duration: $0.duration, status: Self.shortened($0.status))
        }
        let isKept: Void? = rings.withLockIfAvailable { $0[kind]?.append(note) }
        if isKept == nil { missed_.wrappingAdd(1, ordering: .relaxed) }
    }

    // A peer may send as much as its metadata may be long, for each try.
    private static let longestMessage = 300

    private static func shortened(_ status: Status) -> Status {
        let scalars = status.message.unicodeScalars
        guard status.message.utf8.count > longestMessage, scalars.count > longestMessage else {
            return Status(status.code, status.message)
        }
        return Status(status.code, String(String.UnicodeScalarView(scalars.prefix(longestMessage))) + "…")
    }

    // MARK: What it observes

    package func callEnded(_ call: ClientCall, error: RPCError?) {
        take(call.record, call.method, error) { ended, duration, status in
            Note(
                side: .client, method: call.method.rpc, target: call.target,
                peer: (error?.peer ?? call.record?.endpoint)?.address, status: status, duration: duration, ended: ended,
                attempts: call.record?.attempts ?? 0, tries: call.record?.tries ?? [], traceID: call.record?.traceID)
        }
    }

    package func serverCallEnded(_ call: ServerCall, error: RPCError?) {
        take(call.record, call.method, error) { ended, duration, status in
            Note(
                side: .server, method: call.method.rpc, target: nil, peer: call.peer, status: status,
                duration: duration, ended: ended, attempts: 1, tries: [], traceID: call.record?.traceID)
        }
    }

    package func serverEvent(_ event: ServerEvent) {
        guard case .callRefused(let method, let peer, let status) = event else { return }
        let note = Note(
            side: .server, method: method?.rpc ?? "(not served)", target: nil, peer: peer, status: status,
            duration: .zero, ended: clock.now, attempts: 1, tries: [], traceID: nil)
        // Not among those that failed in a handler, which a stranger could drive out.
        keep(note, as: .refused)
    }
}

extension MethodDescriptor {
    /// `service/name`, as metrics have it.
    var rpc: String { String(path.dropFirst()) }
}
