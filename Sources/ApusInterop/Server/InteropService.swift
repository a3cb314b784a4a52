// SPDX-License-Identifier: Apache-2.0

package import Apus

/// `grpc.testing.TestService`: does what each request asks for. Source: gRPC, *Interoperability Test Case
/// Descriptions*, Server.
package struct InteropService: TestService.Handler {
    // What `fill_server_id` asks for: the same for all calls, and another one in every process.
    private let id = String(SplitMixRandom.shared.next(), radix: 16)

    private let load: LoadRecorder
    private let loadTurn = LoadTurn()

    /// A service with a name of its own.
    ///
    /// - Parameter load: where it writes the load that clients tell it to have.
    package init(load: LoadRecorder = LoadRecorder()) { self.load = load }

    package func emptyCall(_ request: Empty, call: ServerCall) async throws -> Empty {
        call.echoMetadata()
        return Empty()
    }

    package func unaryCall(_ request: SimpleRequest, call: ServerCall) async throws -> SimpleResponse {
        call.compressResponses(if: request.responseCompressed?.value)
        call.echoMetadata()
        if case .one(let bytes) = call.request { try request.expectCompressed.check(bytes) }
        request.orcaPerQueryReport?.record(LoadRecorder.current)
        try request.responseStatus?.check()
        return SimpleResponse(
            payload: try .zeros(request.responseSize, request.responseType), serverId: request.fillServerId ? id : "")
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
        call.compressResponses(if: request.wantsCompression)
        call.echoMetadata()
        if let status = request.responseStatus { return try status.check() }
        try await request.answer(to: writer)
    }

    package func streamingInputCall(
        _ requests: RequestStream<ProtobufCodec<StreamingInputCallRequest>>, call: ServerCall
    ) async throws -> StreamingInputCallResponse {
        call.echoMetadata()
        guard case .stream(let source) = call.request else {
            throw RPCError(.internal, "an interceptor gave one message to a method that takes a stream")
        }
        var size = 0
        // Not from `requests`: only the bytes know whether they came compressed.
        while let bytes = try await source.next() {
            let request = try ProtobufCodec<StreamingInputCallRequest>.decode(bytes)
            try request.expectCompressed.check(bytes)
            size += request.payload?.body.count ?? 0
        }
        return StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: size))
    }

    package func fullDuplexCall(
        _ requests: RequestStream<ProtobufCodec<StreamingOutputCallRequest>>,
        to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>, call: ServerCall
    ) async throws {
        call.echoMetadata()
        var hasTurn = false
        defer { if hasTurn { loadTurn.leave() } }
        for try await request in requests {
            call.compressResponses(if: request.wantsCompression)
            // Before the answer: who has it may count on the reports.
            if let report = request.orcaOobReport {
                if !hasTurn { try await loadTurn.take() }
                hasTurn = true
                report.record(load)
            }
            if let status = request.responseStatus { return try status.check() }
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
            if let status = request.responseStatus { return try status.check() }
            try await request.answer(to: writer)
        }
    }

    // What the description allows to grow without a limit gets one here: the port may be open to anybody.
    private static let maximumWaiting = 1000

    package func unimplementedCall(_ request: Empty, call: ServerCall) async throws -> Empty {
        throw RPCError(.unimplemented, "no server implements this")
    }
}
