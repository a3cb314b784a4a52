// SPDX-License-Identifier: Apache-2.0

package import Apus

/// `grpc.testing.TestService`: does what each request asks for. Source: gRPC, *Interoperability Test Case
/// Descriptions*, Server.
package struct InteropService: TestService.Handler {
    /// A service without a state.
    package init() {}

    package func emptyCall(_ request: Empty, call: ServerCall) async throws -> Empty {
        call.echoMetadata()
        return Empty()
    }

    package func unaryCall(_ request: SimpleRequest, call: ServerCall) async throws -> SimpleResponse {
        call.echoMetadata()
        try request.responseStatus?.check()
        return SimpleResponse(payload: try .zeros(request.responseSize, request.responseType))
    }

    package func cacheableUnaryCall(_ request: SimpleRequest, call: ServerCall) async throws -> SimpleResponse {
        call.setInitialMetadata(["cache-control": "max-age=60, public"])
        let now = "\(SystemClock().now.nanoseconds)"
        return SimpleResponse(payload: Payload(body: Array(now.utf8)))
    }

    package func streamingOutputCall(
        _ request: StreamingOutputCallRequest, to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>,
        call: ServerCall
    ) async throws {
        call.echoMetadata()
        try request.responseStatus?.check()
        try await request.answer(to: writer)
    }

    package func streamingInputCall(
        _ requests: RequestStream<ProtobufCodec<StreamingInputCallRequest>>, call: ServerCall
    ) async throws -> StreamingInputCallResponse {
        call.echoMetadata()
        var size = 0
        for try await request in requests { size += request.payload?.body.count ?? 0 }
        return StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: size))
    }

    package func fullDuplexCall(
        _ requests: RequestStream<ProtobufCodec<StreamingOutputCallRequest>>,
        to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>, call: ServerCall
    ) async throws {
        call.echoMetadata()
        for try await request in requests {
            try request.responseStatus?.check()
            try await request.answer(to: writer)
        }
    }

    package func halfDuplexCall(
        _ requests: RequestStream<ProtobufCodec<StreamingOutputCallRequest>>,
        to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>, call: ServerCall
    ) async throws {
        call.echoMetadata()
        var waiting: [StreamingOutputCallRequest] = []
        for try await request in requests {
            guard waiting.count < Self.maximumWaiting else {
                throw RPCError(.resourceExhausted, "more than \(Self.maximumWaiting) requests before the half-close")
            }
            waiting.append(request)
        }
        for request in waiting {
            try request.responseStatus?.check()
            try await request.answer(to: writer)
        }
    }

    // What the description allows to grow without a limit gets one here: the port may be open to anybody.
    private static let maximumWaiting = 1000

    package func unimplementedCall(_ request: Empty, call: ServerCall) async throws -> Empty {
        throw RPCError(.unimplemented, "no server implements this")
    }
}
