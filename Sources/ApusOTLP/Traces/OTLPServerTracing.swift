// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A span for each call of a server, `Recv.` and the method's name, a child of the client's try if that came with a
/// trace; put it first in the list of interceptors.
///
/// Calls that the handler makes are part of the trace by themselves, if their channels have ``OTLPClientTracing``.
/// Source: gRFC A72.
public struct OTLPServerTracing: ServerInterceptor {
    private let exporter: OTLPTracesExporter

    /// Spans for an exporter.
    public init(_ exporter: OTLPTracesExporter) { self.exporter = exporter }

    /// Handles the call within its span.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        let parent = SpanPosition(call.metadata)
        let position = exporter.position(in: parent)
        guard position.isSampled else {
            return try await SpanPosition.$current.binding(position) { try await next(call) }
        }
        let span = SpanRecord(
            exporter, "Recv", .server, call.method, at: position, parent: parent, parentIsRemote: parent != nil)
        let traced = watched(call, span)
        do {
            let response = try await SpanPosition.$current.binding(position) { try await next(traced) }
            if let message = response.message { span.messageSent(message) }
            span.end(Self.overruling(call))
            return response
        } catch {
            span.end(Self.overruling(call) ?? Self.shown(error))
            throw error
        }
    }

    // What the client was told before the handler came to its end. A server without an observer notes no such thing,
    // but it cancels the handler's task.
    private static func overruling(_ call: ServerCall) -> RPCError? {
        if let record = call.record { return record.verdict.map { RPCError($0) } }
        guard Task.isCancelled else { return nil }
        if call.deadline.hasPassed(at: SystemClock().now) { return CallDeadline.exceeded("while the server worked") }
        return RPCError(.cancelled, "the call was over before its handler")
    }

    // What the client gets to know: the text of other errors stays in the process, and out of the trace.
    private static func shown(_ error: any Error) -> RPCError {
        switch error {
        case let error as RPCError: error
        case is CancellationError: RPCError(.cancelled, "the call was cancelled")
        default: RPCError(.unknown, "the handler failed")
        }
    }

    private func watched(_ call: ServerCall, _ span: SpanRecord) -> ServerCall {
        call.record?.stand(at: span.position)
        span.set(KeyValue("peer", "\(call.peer)"))
        var call = call
        switch call.request {
        case .one(let message): span.messageReceived(message)
        case .stream(let source): call.request = .stream(RecordedMessages(source) { span.messageReceived($0) })
        }
        call.responder = RecordedResponder(call.responder, span)
        return call
    }
}
