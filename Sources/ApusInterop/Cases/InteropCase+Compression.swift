// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    /// Messages that are compressed, and others in between that are not.
    static let compression: [InteropCase] = [
        InteropCase("client_compressed_unary") { client in
            // A server that cannot tell how a request came lets this one pass, and the case would mean nothing.
            try await expect("the probe with UnaryCall", failsWith: .invalidArgument) {
                _ = try await client.test.unaryCall(.large(expectCompressed: true))
            }
            for compressed in [true, false] {
                let options = CallOptions(compression: compressed ? .gzip : nil)
                let request = try SimpleRequest.large(expectCompressed: compressed)
                let response = try await client.test.unaryCall(request, options: options)
                try response.payload.expectZeros("the response", SimpleRequest.largeResponse)
            }
        },
        InteropCase("server_compressed_unary") { client in
            for compressed in [true, false] {
                let request = try SimpleRequest.large(responseCompressed: compressed)
                let response = try await client.channel.unary(
                    TestService.Methods.unaryCall.tellingArrivals, request
                ).message
                try expectArrival("the response", response, compressed: compressed)
                try response.message.payload.expectZeros("the response", SimpleRequest.largeResponse)
            }
        },
        InteropCase("client_compressed_streaming") { client in
            try await expect("the probe with StreamingInputCall", failsWith: .invalidArgument) {
                _ = try await client.test.streamingInputCall { requests in
                    try await requests.write(.sized(27_182, expectCompressed: true))
                }
            }
            let response = try await client.test.streamingInputCall(options: CallOptions(compression: .gzip)) {
                try await $0.write(.sized(27_182, expectCompressed: true))
                try await $0.write(.sized(45_904, expectCompressed: false), compress: false)
            }
            try expect("aggregated_payload_size", response.aggregatedPayloadSize, is: 73_086)
        },
        InteropCase("server_compressed_streaming") { client in
            let wanted: [(size: Int, compressed: Bool)] = [(31_415, true), (92_653, false)]
            let parameters = wanted.map {
                ResponseParameters(size: Int32(clamping: $0.size), compressed: BoolValue(value: $0.compressed))
            }
            let responses = try await client.channel.serverStreaming(
                TestService.Methods.streamingOutputCall.tellingArrivals,
                StreamingOutputCallRequest(responseParameters: parameters))
            for (size, compressed) in wanted {
                guard let response = try await responses.next() else {
                    throw InteropFailure("expected a response of \(size) bytes, came the end of the responses")
                }
                try expectArrival("the response of \(size) bytes", response, compressed: compressed)
                try response.message.payload.expectZeros("the response of \(size) bytes", size)
            }
            try await responses.expectEnd()
        },
    ]

    private static func expectArrival<M>(_ what: String, _ arrival: Arrival<M>, compressed: Bool) throws {
        try expect("whether \(what) came compressed", arrival.isCompressed, is: compressed)
    }
}

extension SimpleRequest {
    /// The request for a large response, with what it says of compression.
    fileprivate static func large(expectCompressed: Bool) throws -> SimpleRequest {
        var request = try large()
        request.expectCompressed = BoolValue(value: expectCompressed)
        return request
    }

    fileprivate static func large(responseCompressed: Bool) throws -> SimpleRequest {
        var request = try large()
        request.responseCompressed = BoolValue(value: responseCompressed)
        return request
    }
}

extension StreamingInputCallRequest {
    fileprivate static func sized(_ size: Int32, expectCompressed: Bool) throws -> StreamingInputCallRequest {
        StreamingInputCallRequest(
            payload: try .zeros(size), expectCompressed: BoolValue(value: expectCompressed))
    }
}
