// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// All that was seen in a simulated world. On the simulation's thread.
final class SimulationLedger: Observer, @unchecked Sendable {
    typealias Message = SimulationPlan.Message

    struct ClientEnd {
        /// nil: the client wanted no more.
        var code: Status.Code?
        var text = ""
        var responses: [Message] = []
    }

    struct Handler {
        let call: Int
        var requests = 0
        /// nil while it runs; then its error, or none.
        var end: RPCError??
    }

    let plan: SimulationPlan
    private(set) var clientEnds: [Int: ClientEnd] = [:]
    // From 1.
    private(set) var handlers: [Handler] = []
    private(set) var observedEnds: [Int: Int] = [:]
    private(set) var violations: [String] = []
    private var unread: [Int: Int] = [:]
    private(set) var trace: [String] = []
    private let clock: any MonotonicClock

    init(_ plan: SimulationPlan, clock: any MonotonicClock) {
        self.plan = plan
        self.clock = clock
    }

    func note(_ text: String) { trace.append("\(clock.now.nanoseconds) \(text)") }

    func violated(_ text: String) {
        note("VIOLATED: \(text)")
        violations.append(text)
    }

    // MARK: Clients

    func clientEnded(_ call: Int, _ end: ClientEnd) {
        note("call \(call) ended: \(end.code.map { "\($0)" } ?? "left"), \(end.responses.count) responses; \(end.text)")
        if clientEnds[call] != nil { violated("call \(call) ended twice") }
        clientEnds[call] = end
    }

    func received(_ bytes: MessageBytes, _ call: Int, _ end: inout ClientEnd) {
        guard let message = Message(bytes), message.call == call else {
            return violated("call \(call) got an altered response")
        }
        if message.index != end.responses.count {
            violated("call \(call) got response \(message.index) at \(end.responses.count)")
        }
        if let first = end.responses.first, first.handler != message.handler {
            violated("call \(call) got responses of two handlers")
        }
        end.responses.append(message)
    }

    /// A client's write was taken. Without retries, what no handler has read is bounded.
    func wrote(_ call: Int, _ bytes: Int) {
        unread[call, default: 0] += bytes
        guard !plan.retries, let size = unread[call], size > SimulatedWorld.buffersOfStream else { return }
        violated("call \(call) has \(size) bytes on their way")
    }

    func callEnded(_ call: ClientCall, error: RPCError?) {
        guard let id = call.metadata["x-call"].flatMap({ Int($0) }) else { return }
        observedEnds[id, default: 0] += 1
    }

    func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState) {
        note("\(endpoint.address) is \(state)")
    }

    // MARK: Handlers

    func handle<R>(_ call: Int, _ body: (_ number: Int) async throws -> R) async throws -> R {
        handlers.append(Handler(call: call))
        let number = handlers.count
        note("handler \(number) of call \(call)")
        do {
            let result = try await body(number)
            handlerEnded(number, nil)
            return result
        } catch {
            handlerEnded(number, RPCError(wrapping: error))
            throw error
        }
    }

    private func handlerEnded(_ number: Int, _ error: RPCError?) {
        handlers[number - 1].end = .some(error)
        note("handler \(number) ended: \(error.map { "\($0)" } ?? "OK")")
    }

    func received(_ bytes: MessageBytes, handler number: Int) {
        let handler = handlers[number - 1]
        guard let message = Message(bytes), message.call == handler.call else {
            return violated("handler \(number) got an altered request")
        }
        if message.index != handler.requests {
            violated("handler \(number) got request \(message.index) at \(handler.requests)")
        }
        handlers[number - 1].requests += 1
        unread[handler.call, default: 0] -= bytes.count
    }
}
