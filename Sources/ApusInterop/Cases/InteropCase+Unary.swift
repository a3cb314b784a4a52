// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    /// One message either way.
    static let unary: [InteropCase] = [
        InteropCase("empty_unary") { client in
            try expect("the response", try await client.test.emptyCall(Empty()), is: Empty())
        },
        InteropCase("large_unary") { client in
            let response = try await client.test.unaryCall(.large())
            try response.payload.expectZeros("the response", SimpleRequest.largeResponse)
        },
        InteropCase("custom_metadata") { client in
            try await CustomMetadata.unary(client)
            try await CustomMetadata.fullDuplex(client)
        },
    ]
}

extension SimpleRequest {
    static let largeRequest = 271_828
    static let largeResponse = 314_159

    /// The request of the cases about large messages.
    static func large(_ size: Int = largeRequest, response: Int = largeResponse) throws -> SimpleRequest {
        SimpleRequest(
            responseSize: Int32(clamping: response), payload: try .zeros(Int32(clamping: size)))
    }
}

/// Metadata that the server sends back, at both ends of a call.
private enum CustomMetadata {
    static let initial = "test_initial_metadata_value"
    static let trailing: [UInt8] = [0xAB, 0xAB, 0xAB]

    static var options: CallOptions {
        var metadata = Metadata()
        metadata.add(InteropMetadata.initialKey, initial)
        metadata.add(InteropMetadata.trailingKey, binary: trailing)
        return CallOptions(metadata: metadata)
    }

    static func unary(_ client: InteropClient) async throws {
        let response = try await client.channel.unary(TestService.Methods.unaryCall, .large(), options: options)
        try response.message.payload.expectZeros("the response", SimpleRequest.largeResponse)
        try check("UnaryCall", response.metadata, response.trailers)
    }

    static func fullDuplex(_ client: InteropClient) async throws {
        let call = client.test.fullDuplexCall(options: options)
        try await call.requests.write(
            .wanting(SimpleRequest.largeResponse, payload: SimpleRequest.largeRequest))
        call.requests.finish()
        let responses = try await call.responses()
        var count = 0
        while let response = try await responses.next() {
            try response.payload.expectZeros("response \(count)", SimpleRequest.largeResponse)
            count += 1
        }
        try expect("responses", count, is: 1)
        try check("FullDuplexCall", responses.metadata, responses.trailers)
    }

    private static func check(_ call: String, _ metadata: Metadata, _ trailers: Metadata) throws {
        try expect(
            "\(InteropMetadata.initialKey) in the initial metadata of \(call)",
            metadata.values(of: InteropMetadata.initialKey), is: [initial])
        try expect(
            "\(InteropMetadata.trailingKey) in the trailing metadata of \(call)",
            trailers.binaryValues(of: InteropMetadata.trailingKey), is: [trailing])
    }
}
