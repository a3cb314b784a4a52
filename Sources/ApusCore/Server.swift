// SPDX-License-Identifier: Apache-2.0

/// The services of a process with the policies in front of them. A transport listens for it.
public final class Server: Sendable {
    /// The methods.
    public let router: Router
    /// Who is told of this server's calls.
    public let observer: (any Observer)?
    /// What watches its calls; nil without an observer.
    package let watch: CallRecord.Watch?
    package let interceptors: [any ServerInterceptor]
    private let services: [any Service]
    private let admission: [any AdmittingInterceptor]

    /// A server.
    ///
    /// - Parameters:
    ///   - services: what it serves: values that conform to generated handler protocols.
    ///   - interceptors: the policies in front of every handler, outermost first.
    ///   - observer: who is told of calls and events.
    ///   - clock: the time of what is measured for the observer.
    /// - Throws: FAILED_PRECONDITION when two services have the same method.
    public init(
        _ services: [any Service], interceptors: [any ServerInterceptor] = [], observer: (any Observer)? = nil,
        clock: any MonotonicClock = SystemClock()
    ) throws(RPCError) {
        router = try Router(services)
        self.services = services
        self.interceptors = interceptors
        admission = interceptors.compactMap { $0 as? any AdmittingInterceptor }
        self.observer = observer
        isPlain = interceptors.isEmpty
        watch = observer.map { CallRecord.Watch($0, clock: clock) }
    }

    /// Tells the services that a graceful stop begins.
    package func willStop() {
        for service in services { service.serverWillStop() }
    }

    /// Whether no interceptor has to do with a call: its handler may be called without ``answer(_:_:)``, between
    /// ``began(_:)`` and ``ended(_:_:)``.
    package let isPlain: Bool

    /// Whether ``admit(_:)`` has somebody to ask.
    package var admits: Bool { !admission.isEmpty }

    /// Asks the interceptors that refuse calls at their headers.
    ///
    /// - Throws: the error that the call ends with.
    package func admit(_ head: ServerCallHead) throws(RPCError) {
        for interceptor in admission { try interceptor.admit(head) }
    }

    /// Runs a call of a server with interceptors or an observer. ``ServerCall/current`` is the caller's to bind.
    ///
    /// - Throws: the handler's `RPCError`; CANCELLED for a `CancellationError`; UNKNOWN for any other error, whose
    ///   text stays in the process.
    package func answer(_ call: ServerCall, _ route: Route) async throws(RPCError) -> ServerResponse {
        try await answer(call, route) { $0 }
    }

    /// The same; `framed` makes of the one message of a response what goes over the wire, and belongs to the call.
    package func answer(
        _ call: ServerCall, _ route: Route, framed: (MessageBytes) throws -> MessageBytes
    ) async throws(RPCError) -> ServerResponse {
        began(call)
        do {
            var response =
                interceptors.isEmpty
                ? try await route.handler(call)
                : try await ServerNext(interceptors: interceptors, index: 0, route: route)(call)
            if let message = response.message { response.message = try framed(message) }
            ended(call)
            return response
        } catch {
            throw ended(call, error)
        }
    }

    /// Tells of a call whose handler is about to be called. Nothing is done without an observer.
    package func began(_ call: ServerCall) { watch?.observer.serverCallStarted(call) }

    /// Tells of a call whose handler succeeded.
    package func ended(_ call: ServerCall) {
        if let watch { tell(watch, call, nil) }
    }

    /// Tells of a call whose handler has thrown.
    ///
    /// - Returns: what the client gets.
    package func ended(_ call: ServerCall, _ error: any Error) -> RPCError {
        let mapped = Self.mapped(error)
        if let watch { tell(watch, call, mapped) }
        return mapped
    }

    /// Tells of a call that ended before its handler. Nothing is done without an observer.
    package func ended(beforeHandler call: @autoclosure () -> ServerCall, _ error: RPCError) {
        guard let watch else { return }
        let call = call()
        began(call)
        tell(watch, call, error)
    }

    private func tell(_ watch: CallRecord.Watch, _ call: ServerCall, _ error: RPCError?) {
        let record = call.record
        record?.end()
        // The client was told something else before the handler came to its end.
        watch.observer.serverCallEnded(call, error: record?.verdict.map { RPCError($0) } ?? error)
    }

    /// What the client gets for what a handler has thrown.
    package static func mapped(_ error: any Error) -> RPCError {
        switch error {
        case let error as RPCError: error
        case is CancellationError: RPCError(.cancelled, "the call was cancelled")
        default: RPCError(.unknown, "the handler failed")
        }
    }
}
