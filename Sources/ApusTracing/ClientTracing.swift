// SPDX-License-Identifier: Apache-2.0

#if Tracing
    public import ApusCore
    public import Tracing

    /// A span for each call of a channel, `Sent.` and the method's name; put it first in the list of interceptors, and
    /// ``AttemptTracing`` last. There with the package's trait `Tracing` alone.
    ///
    /// Its events tell of endpoints that were found and picked, of waits and of retries. Its parent is the span that is
    /// current where the call is made: in a server's handler, that handler's. Source: gRFC A72.
    ///
    /// ```swift
    /// let channel = Channel("users", interceptors: [
    ///     ClientTracing(), Deadline(.seconds(2)), Retry(), Discovery(registry), RandomBalancer(), AttemptTracing(),
    /// ])
    /// ```
    public struct ClientTracing: ClientInterceptor {
        private let tracer: (any Tracer)?

        /// Spans of a tracer; unless told, of the one that the process was bootstrapped with.
        public init(_ tracer: (any Tracer)? = nil) { self.tracer = tracer }

        /// Sends the call within its span, which ends with the call.
        public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            let tracer = tracer ?? InstrumentationSystem.tracer
            let span = CallSpan(
                tracer.startAnySpan(CallSpan.name("Sent", call.method), ofKind: .client), call.method)
            span.set("grpc.target", call.target)
            let traced = watched(call, span)
            do {
                let response = try await ServiceContext.$current.binding(span.context) { try await next(traced) }
                response.onEnd { span.end($0) }
                return response
            } catch {
                span.end(RPCError(wrapping: error))
                throw error
            }
        }

        private func watched(_ call: ClientCall, _ span: CallSpan) -> ClientCall {
            guard span.isRecording else { return call }
            var call = call
            let events = CallEvents(span)
            call.observer = call.observer.map { Observers([$0, events]) } ?? events
            return call
        }
    }

    /// Makes events of what a call's observer is told.
    private final class CallEvents: Observer {
        private let span: CallSpan

        init(_ span: CallSpan) { self.span = span }

        func resolved(_ target: String, candidates: Candidates) {
            span.event(
                "Delayed name resolution complete", ["endpoints": .int64(Int64(candidates.handles.count))])
        }

        func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
            span.event(
                "Endpoint picked",
                ["endpoint": .string("\(endpoint.address)"), "attempt": .int64(Int64(call.attempt))])
        }

        func waiting(_ call: ClientCall, for endpoint: EndpointHandle) {
            span.event("Waiting for a connection", ["endpoint": .string("\(endpoint.address)")])
        }

        func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
            span.event("Trying again", ["status": .string(error.code.name), "delay": .string("\(delay)")])
        }
    }
#endif
