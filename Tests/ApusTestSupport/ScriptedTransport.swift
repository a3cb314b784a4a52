// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// The end of a channel that plays a script: each call meets the next expectation.
///
/// ```swift
/// let script = ScriptedTransport()
/// script.expect().fail(.unavailable)
/// script.expect { #expect($0.attempt == 2) }.reply("hello")
/// ```
package final class ScriptedTransport: ClientTransport {
    package typealias Answer = @Sendable (ClientCall) async throws -> ClientResponse

    private struct State {
        var steps: [Answer] = []
        var played = 0
        var always: Answer?
        var calls: [ClientCall] = []
        var connected: [EndpointHandle] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    package init() {}

    /// The calls that arrived, in order.
    package var calls: [ClientCall] { state.withLock { $0.calls } }
    /// Expectations that no call has met yet.
    package var unmet: Int { state.withLock { $0.steps.count - $0.played } }
    /// The endpoints that were to be connected to, in order.
    package var connected: [EndpointHandle] { state.withLock { $0.connected } }
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The next call, which `check` looks at, is answered by the expectation's verb.
    package func expect(_ check: @escaping @Sendable (ClientCall) -> Void = { _ in }) -> Expectation {
        Expectation(check: check) { answer in self.state.withLock { $0.steps.append(answer) } }
    }

    /// Every call behind the script's end.
    package var otherwise: Expectation {
        Expectation(check: { _ in }) { answer in self.state.withLock { $0.always = answer } }
    }

    package func start(_ call: ClientCall) async throws -> ClientResponse {
        let answer = state.withLock { state -> Answer? in
            state.calls.append(call)
            guard state.played < state.steps.count else { return state.always }
            state.played += 1
            return state.steps[state.played - 1]
        }
        guard let answer else { throw RPCError(.internal, "call \(calls.count) is not in the script") }
        return try await answer(call)
    }

    package func connect(to endpoint: EndpointHandle) { state.withLock { $0.connected.append(endpoint) } }

    package func close() { state.withLock { $0.isClosed = true } }

    package func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) {
        throw RPCError(.failedPrecondition, "a scripted transport has no event loop")
    }

    /// What to answer with.
    package struct Expectation {
        let check: @Sendable (ClientCall) -> Void
        let add: (@escaping Answer) -> Void

        package func run(_ answer: @escaping Answer) {
            let check = check
            add { call in
                check(call)
                return try await answer(call)
            }
        }

        package func fail(_ error: RPCError) { run { _ in throw error } }

        package func fail(
            _ code: Status.Code, progress: RPCError.Progress = .sent, metadata: Metadata = Metadata()
        ) {
            fail(RPCError(code, "scripted", metadata: metadata, progress: progress))
        }

        package func reply(_ text: String = "") {
            run { _ in ClientResponse(metadata: Metadata(), body: .one(MessageBytes(text.utf8), trailers: Metadata())) }
        }

        package func reply(_ source: any ResponseSource) {
            run { _ in ClientResponse(metadata: Metadata(), body: .stream(source)) }
        }
    }
}
