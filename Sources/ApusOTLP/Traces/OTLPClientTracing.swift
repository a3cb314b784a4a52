// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A span for each call of a channel, `Sent.` and the method's name; put it first in the list of interceptors, and
/// ``OTLPAttemptTracing`` last.
///
/// Its events tell of endpoints that were found and picked, of waits and of retries. Its parent is the span of the
/// handler in which the call is made, if that has one. Source: gRFC A72.
///
/// ```swift
/// let channel = Channel("users", interceptors: [
///     OTLPClientTracing(traces), Deadline(.seconds(2)), Retry(), Discovery(registry), RandomBalancer(),
///     OTLPAttemptTracing(traces),
/// ])
/// ```
public struct OTLPClientTracing: ClientInterceptor {
    private let exporter: OTLPTracesExporter

    /// Spans for an exporter.
    public init(_ exporter: OTLPTracesExporter) { self.exporter = exporter }

    /// Sends the call within its span, which ends with the call.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        let parent = SpanPosition.current
        let position = exporter.position(in: parent)
        guard position.isSampled else {
            let unrecorded = call
            return try await SpanPosition.$current.binding(position) { try await next(unrecorded) }
        }
        return try await record(call, at: position, in: parent, next)
    }

    private func record(
        _ call: ClientCall, at position: SpanPosition, in parent: SpanPosition?, _ next: ClientNext
    ) async throws -> ClientResponse {
        let span = SpanRecord(exporter, "Sent", .client, call.method, at: position, parent: parent)
        span.set(KeyValue("grpc.target", call.target))
        call.record?.stand(at: position)
        let traced = watched(call, span)
        do {
            let response = try await SpanPosition.$current.binding(position) { try await next(traced) }
            response.onEnd { span.end($0) }
            return response
        } catch {
            span.end(RPCError(wrapping: error))
            throw error
        }
    }

    private func watched(_ call: ClientCall, _ span: SpanRecord) -> ClientCall {
        var call = call
        let events = CallEvents(span)
        call.observer = call.observer.map { Observers([$0, events]) } ?? events
        return call
    }
}

/// Makes events of what a call's observer is told.
private final class CallEvents: Observer {
    private let span: SpanRecord

    init(_ span: SpanRecord) { self.span = span }

    func resolved(_ target: String, candidates: Candidates) {
        span.event("Delayed name resolution complete", [KeyValue("endpoints", Int64(candidates.handles.count))])
    }

    func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        span.event(
            "Endpoint picked",
            [KeyValue("endpoint", "\(endpoint.address)"), KeyValue("attempt", Int64(call.attempt))])
    }

    func waiting(_ call: ClientCall, for endpoint: EndpointHandle) {
        span.event("Waiting for a connection", [KeyValue("endpoint", "\(endpoint.address)")])
    }

    func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
        span.event("Trying again", [KeyValue("status", error.code.name), KeyValue("delay", "\(delay)")])
    }
}
