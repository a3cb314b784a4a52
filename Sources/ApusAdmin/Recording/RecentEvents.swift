// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// What happened besides calls: breakers, ejections, health, configuration, new lists of endpoints, what servers refuse.
///
/// The same thing many times in a row is one line with a count. Nobody waits here: of two events at once one may be
/// missing.
package final class RecentEvents: Observer {
    /// An event.
    package struct Note: Sendable {
        package var text: String
        /// Whether an operator should look at it.
        package var isWarning: Bool
        package var at: MonotonicInstant
        package var count = 1
    }

    private let ring: Mutex<NoteRing<Note>>
    private let clock: any MonotonicClock

    package init(capacity: Int = 100, clock: any MonotonicClock = SystemClock()) {
        ring = Mutex(NoteRing(capacity: capacity))
        self.clock = clock
    }

    /// The events, the newest first.
    package var notes: [Note] { ring.withLock { $0.newestFirst } }

    private func note(_ text: String, isWarning: Bool) {
        let now = clock.now
        ring.withLockIfAvailable { ring in
            guard ring.newest?.text == text else {
                return ring.append(Note(text: text, isWarning: isWarning, at: now))
            }
            ring.changeNewest { newest in
                newest.at = now
                newest.count = min(newest.count, .max - 1) + 1
            }
        }
    }

    // MARK: What it observes

    package func resolved(_ target: String, candidates: Candidates) {
        let count = candidates.handles.count
        note("\(target) has \(count) \(count == 1 ? "endpoint" : "endpoints")", isWarning: count == 0)
    }

    package func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        guard old != new else { return }
        switch new {
        case .transientFailure: note("\(endpoint.address) cannot be reached", isWarning: true)
        case .ready: note("\(endpoint.address) is connected", isWarning: false)
        case .idle where old == .ready: note("the connection to \(endpoint.address) has ended", isWarning: false)
        case .idle, .connecting, .shutdown: break
        }
    }

    package func policyEvent(_ event: PolicyEvent) { note(event, of: nil) }

    package func policyEvent(_ event: PolicyEvent, of target: String) { note(event, of: target) }

    private func note(_ event: PolicyEvent, of target: String?) {
        let channel = target.map { "\($0): " } ?? ""
        switch event {
        case .breaker(let name, let endpoint, let method, let old, let new):
            // One that was closed is not missed.
            guard let state = new ?? (old == .closed ? nil : .closed) else { return }
            let place = [endpoint.map { "\($0.address)" }, method?.rpc].compactMap(\.self).joined(separator: " ")
            note("\(channel)breaker \(name) \(place) is \(state.text)", isWarning: state == .open)
        case .ejected(let endpoint, let time):
            note("\(channel)\(endpoint.address) is ejected for \(time)", isWarning: true)
        case .readmitted(let endpoint): note("\(channel)\(endpoint.address) gets calls again", isWarning: false)
        case .health(let endpoint, let isServing):
            note("\(channel)\(endpoint.address) \(isServing ? "serves" : "does not serve")", isWarning: !isServing)
        case .configurationApplied(let source): note("configuration \(source) is in force", isWarning: false)
        case .configurationRefused(let source, let reason):
            note("configuration \(source) was refused: \(reason)", isWarning: true)
        }
    }

    package func serverEvent(_ event: ServerEvent) {
        // Calls that were refused are among the calls.
        if case .callRefused = event { return }
        // A peer's port is another one each time: without it, a flood of one kind is one note.
        if case .connectionRefused(_, let reason) = event {
            return note("connections are closed as they come: \(reason)", isWarning: true)
        }
        var isWarning = true
        if case .descriptorsAvailable = event { isWarning = false }
        note("\(event)", isWarning: isWarning)
    }
}

extension BreakerState {
    var text: String {
        switch self {
        case .closed: "closed"
        case .halfOpen: "half open"
        case .open: "open"
        }
    }
}
