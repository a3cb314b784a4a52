// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// Remembers what it is told.
package final class RecordingObserver: Observer {
    private struct State {
        var picks: [EndpointHandle] = []
        var retries: [(attempt: Int, code: Status.Code, delay: Duration)] = []
        var resolutions: [(target: String, candidates: Candidates)] = []
        var endings: [Candidates] = []
        var ends: [RPCError?] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var picks: [EndpointHandle] { state.withLock { $0.picks } }
    package var delays: [Duration] { state.withLock { $0.retries.map(\.delay) } }
    package var retriedAttempts: [Int] { state.withLock { $0.retries.map(\.attempt) } }
    package var resolved: [[Endpoint]] {
        state.withLock { $0.resolutions.map { $0.candidates.handles.map(\.endpoint) } }
    }
    /// The lists of channels that closed.
    package var closed: [[Endpoint]] { state.withLock { $0.endings.map { $0.handles.map(\.endpoint) } } }
    package var ends: [RPCError?] { state.withLock { $0.ends } }

    package func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        state.withLock { $0.picks.append(endpoint) }
    }

    package func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
        state.withLock { $0.retries.append((call.attempt, error.code, delay)) }
    }

    package func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        state.withLock { state in
            if let new { state.resolutions.append((target, new)) } else if let old { state.endings.append(old) }
        }
    }

    package func callEnded(_ call: ClientCall, error: RPCError?) { state.withLock { $0.ends.append(error) } }
}
