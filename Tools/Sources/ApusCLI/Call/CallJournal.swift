// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization

/// Tells what a call does while it goes on: `*` for what the channel does, `>` for what is sent, `<` for what comes.
final class CallJournal: Observer {
    private struct State {
        var start: MonotonicInstant?
        var tries = 0
        var sent = (messages: 0, bytes: 0)
        var received = (messages: 0, bytes: 0)
        var isOver = false
    }

    private let output: any Output
    private let clock: any MonotonicClock
    private let state = Mutex(State())

    init(_ output: any Output, clock: any MonotonicClock = SystemClock()) {
        self.output = output
        self.clock = clock
    }

    /// The call is about to be made.
    func begins(_ method: MethodDescriptor, _ options: CallOptions) {
        state.withLock { $0.start = clock.now }
        tell("> \(method.path)\(options.timeout.map { ", within \(Figures.time($0))" } ?? "")")
        for line in options.metadata.lines { tell("> \(line)") }
    }

    /// A request of this size goes out.
    func sent(_ bytes: Int) {
        state.withLock { state in
            state.sent.messages += 1
            state.sent.bytes += bytes
        }
    }

    /// The response's head is there.
    func head(_ metadata: Metadata) { for line in metadata.lines { tell("< \(line)") } }

    /// A response of this size has come.
    func received(_ bytes: Int) {
        state.withLock { state in
            state.received.messages += 1
            state.received.bytes += bytes
        }
    }

    /// The call has succeeded.
    func ended(trailers: Metadata) { end(.ok, trailers) }

    /// The call has failed.
    func ended(_ error: RPCError) { end(error.code, error.metadata) }

    private func end(_ code: Status.Code, _ trailers: Metadata) {
        for line in trailers.lines { tell("< \(line) (trailer)") }
        let state = state.withLock { state in
            state.isOver = true
            return state
        }
        let time = state.start.map { " after \(Figures.time($0.duration(to: clock.now)))" } ?? ""
        tell(
            "= \(code) (\(code.rawValue))\(time), \(Figures.count(max(state.tries, 1)))"
                + " \(state.tries > 1 ? "tries" : "try"); \(Self.text(state.sent)) sent,"
                + " \(Self.text(state.received)) received")
    }

    private static func text(_ sum: (messages: Int, bytes: Int)) -> String {
        "\(Figures.plural(sum.messages, "message")) (\(Figures.bytes(sum.bytes)))"
    }

    private static let words: [ConnectivityState: String] = [
        .connecting: "is being connected", .ready: "is connected", .transientFailure: "cannot be reached",
    ]

    private func tell(_ line: String) { output.complain(line) }

    // Reflection goes through the same channel: only the call itself is told.
    private static func isOurs(_ call: ClientCall) -> Bool { !call.method.service.hasPrefix("grpc.reflection.") }

    func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        guard Self.isOurs(call) else { return }
        state.withLock { $0.tries = max($0.tries, call.attempt) }
        tell("* try \(call.attempt) goes to \(endpoint.endpoint.address)")
    }

    func waiting(_ call: ClientCall, for endpoint: EndpointHandle) {
        guard Self.isOurs(call) else { return }
        tell("* waits for \(endpoint.endpoint.address)")
    }

    func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
        guard Self.isOurs(call) else { return }
        tell("* try \(call.attempt) failed, again in \(Figures.time(delay)): \(Screen.harmless("\(error)"))")
    }

    func resolved(_ target: String, candidates: Candidates) {
        let addresses = candidates.handles.map { "\($0.endpoint.address)" }
        guard addresses != [target] else { return }
        tell("* \(target) is at \(addresses.isEmpty ? "no address" : addresses.joined(separator: ", "))")
    }

    func connectivityChanged(_ endpoint: Endpoint, to new: ConnectivityState) {
        // The channel closes behind the call.
        guard let word = Self.words[new], !state.withLock({ $0.isOver }) else { return }
        tell("* \(endpoint.address) \(word)")
    }
}
