// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A span for each try of a call, `Attempt.` and the method's name, whose position travels with it; put it last in the
/// list of interceptors, behind the balancer, and ``OTLPClientTracing`` first.
///
/// What travels is W3C's `traceparent` and `tracestate`, and `grpc-trace-bin`; of calls that are not sampled, too. Its
/// events are messages. Source: gRFC A72.
public struct OTLPAttemptTracing: ClientInterceptor {
    private let exporter: OTLPTracesExporter

    /// Spans for an exporter.
    public init(_ exporter: OTLPTracesExporter) { self.exporter = exporter }

    /// Sends the try within its span, which ends with the try.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        let parent = SpanPosition.current
        // What is not recorded needs no number of its own for each try.
        let position = if let parent, !parent.isSampled { parent } else { exporter.position(in: parent) }
        position.inject(into: &call.metadata)
        guard position.isSampled else { return try await next(call) }
        return try await record(call, at: position, in: parent, next)
    }

    private func record(
        _ call: ClientCall, at position: SpanPosition, in parent: SpanPosition?, _ next: ClientNext
    ) async throws -> ClientResponse {
        var traced = call
        let span = SpanRecord(exporter, "Attempt", .client, call.method, at: position, parent: parent)
        note(&traced, span)
        do {
            return watched(try await next(traced), span)
        } catch {
            span.end(RPCError(wrapping: error))
            throw error
        }
    }

    private func note(_ call: inout ClientCall, _ span: SpanRecord) {
        span.set(KeyValue("previous-rpc-attempts", Int64(call.attempt - 1)))
        span.set(KeyValue("transparent-retry", call.record?.hasTried(call.attempt) ?? false))
        if let endpoint = call.endpoint { span.set(KeyValue("endpoint", "\(endpoint.address)")) }
        switch call.request {
        case .one(let message): span.messageSent(message)
        case .stream(let source): call.request = .stream(RecordedMessages(source) { span.messageSent($0) })
        }
    }

    private func watched(_ response: ClientResponse, _ span: SpanRecord) -> ClientResponse {
        switch response.body {
        case .stream(let source):
            var response = response
            response.body = .stream(RecordedResponses(source, span))
            return response
        case .one(let message, _):
            span.messageReceived(message)
            response.onEnd { span.end($0) }
            return response
        }
    }
}
