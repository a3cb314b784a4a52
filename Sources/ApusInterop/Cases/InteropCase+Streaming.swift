// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    // The sizes that the descriptions give.
    private static let requestSizes = [27_182, 8, 1_828, 45_904]
    private static let responseSizes = [31_415, 9, 2_653, 58_979]

    /// Many messages one way or both.
    static let streaming: [InteropCase] = [
        InteropCase("client_streaming") { client in
            let response = try await client.test.streamingInputCall { requests in
                for size in requestSizes {
                    try await requests.write(StreamingInputCallRequest(payload: .zeros(Int32(clamping: size))))
                }
            }
            try expect("aggregated_payload_size", response.aggregatedPayloadSize, is: 74_922)
        },
        InteropCase("server_streaming") { client in
            let wanted = responseSizes.map { ResponseParameters(size: Int32(clamping: $0)) }
            let responses = try await client.test.streamingOutputCall(
                StreamingOutputCallRequest(responseParameters: wanted))
            for size in responseSizes {
                try (await responses.next()?.payload).expectZeros("a response of \(size) bytes", size)
            }
            try await responses.expectEnd()
        },
        InteropCase("ping_pong") { client in
            let call = client.test.fullDuplexCall()
            let exchange = zip(requestSizes, responseSizes)
            var responses: ResponseStream<ProtobufCodec<StreamingOutputCallResponse>>?
            for (request, response) in exchange {
                try await call.requests.write(.wanting(response, payload: request))
                if responses == nil { responses = try await call.responses() }
                try (await responses?.next()?.payload).expectZeros("a response of \(response) bytes", response)
            }
            call.requests.finish()
            try await responses?.expectEnd()
        },
        InteropCase("empty_stream") { client in
            let call = client.test.fullDuplexCall()
            call.requests.finish()
            try await call.responses().expectEnd()
        },
    ]
}

extension ResponseStream {
    /// Reads on and checks that no message comes and the call succeeds.
    ///
    /// - Throws: ``InteropFailure``, or why the call failed.
    func expectEnd() async throws {
        guard try await next() == nil else {
            throw InteropFailure("expected the end of the responses, came another response")
        }
    }
}

extension StreamingOutputCallRequest {
    /// A request for one response of so many bytes.
    static func wanting(_ size: Int, payload: Int) throws -> StreamingOutputCallRequest {
        StreamingOutputCallRequest(
            responseParameters: [ResponseParameters(size: Int32(clamping: size))],
            payload: try .zeros(Int32(clamping: payload)))
    }
}
