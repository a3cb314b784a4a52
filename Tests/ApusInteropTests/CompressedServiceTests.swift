// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

/// What the interop server makes of compression, beyond the cases.
@Suite(.timeLimit(.minutes(10))) struct CompressedServiceTests {
    private typealias Methods = TestService.Methods
    private static let large = Payload(body: [UInt8](repeating: 0, count: 10_000))

    @Test func `a request that came compressed against its client's belief is refused`() async throws {
        try await InteropServer.serve { channel in
            let request = SimpleRequest(payload: Self.large, expectCompressed: BoolValue(value: false))
            let error = await #expect(throws: RPCError.self) {
                try await channel.unary(Methods.unaryCall, request, options: CallOptions(compression: .gzip))
            }
            #expect(error?.status == Status(.invalidArgument, "the request was to come as it is and came compressed"))
        }
    }

    @Test(arguments: [nil, Compression.gzip, .deflate])
    func `a request that says nothing of compression may come in any way`(_ compression: Compression?) async throws {
        try await InteropServer.serve { channel in
            let options = CallOptions(compression: compression)
            _ = try await channel.unary(Methods.unaryCall, SimpleRequest(payload: Self.large), options: options)
            let response = try await TestService.Client(channel).streamingInputCall(options: options) {
                try await $0.write(StreamingInputCallRequest(payload: Self.large))
            }
            #expect(response.aggregatedPayloadSize == 10_000)
        }
    }

    @Test func `each message of a stream is looked at`() async throws {
        try await InteropServer.serve { channel in
            let error = await #expect(throws: RPCError.self) {
                let options = CallOptions(compression: .gzip)
                _ = try await TestService.Client(channel).streamingInputCall(options: options) { requests in
                    let request = StreamingInputCallRequest(
                        payload: Self.large, expectCompressed: BoolValue(value: true))
                    try await requests.write(request)
                    try await requests.write(request, compress: false)
                }
            }
            #expect(error?.status == Status(.invalidArgument, "the request was to come compressed and came as it is"))
        }
    }

    @Test func `a response of which nothing is said comes as it is`() async throws {
        try await InteropServer.serve { channel in
            let response = try await channel.unary(
                Methods.unaryCall.tellingArrivals, SimpleRequest(responseSize: 10_000, payload: Self.large),
                options: CallOptions(compression: .gzip))
            #expect(!response.message.isCompressed)
        }
    }

    @Test(arguments: [(Compressors.none, false), (Compressors([DeflateCompressor()]), true)])
    func `a response is compressed in a way that its client reads`(
        _ compressors: Compressors, _ isCompressed: Bool
    ) async throws {
        var options = TransportOptions()
        options.compressors = compressors
        try await InteropServer.serve(options: options) { channel in
            let response = try await channel.unary(
                Methods.unaryCall.tellingArrivals,
                SimpleRequest(responseSize: 10_000, responseCompressed: BoolValue(value: true)))
            #expect(response.message.isCompressed == isCompressed)
            #expect(response.message.message.payload?.body.count == 10_000)
        }
    }

    @Test func `responses of a full-duplex call are compressed one by one`() async throws {
        try await InteropServer.serve { channel in
            let call = channel.bidirectional(Methods.fullDuplexCall.tellingArrivals)
            let wishes: [Bool?] = [true, nil, false, true]
            for wish in wishes {
                let wanted = ResponseParameters(size: 10_000, compressed: wish.map { BoolValue(value: $0) })
                try await call.requests.write(StreamingOutputCallRequest(responseParameters: [wanted]))
            }
            call.requests.finish()
            var arrivals: [Bool] = []
            for try await response in try await call.responses() { arrivals.append(response.isCompressed) }
            #expect(arrivals == [true, false, false, true])
        }
    }
}
