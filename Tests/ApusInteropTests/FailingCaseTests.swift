// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

/// Cases that must not pass, since their server does not do what they ask for.
@Suite(.timeLimit(.minutes(10))) struct FailingCaseTests {
    /// A server that does nothing of what it is asked for.
    private struct IdleService: TestService.Handler {
        func emptyCall(_ request: Empty, call: ServerCall) async throws -> Empty {
            throw RPCError(.aborted, "not today")
        }
        func unaryCall(_ request: SimpleRequest, call: ServerCall) async throws -> SimpleResponse { SimpleResponse() }
        func cacheableUnaryCall(_ request: SimpleRequest, call: ServerCall) async throws -> SimpleResponse {
            SimpleResponse()
        }
        func streamingOutputCall(
            _ request: StreamingOutputCallRequest,
            to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>, call: ServerCall
        ) async throws {}
        func streamingInputCall(
            _ requests: RequestStream<ProtobufCodec<StreamingInputCallRequest>>, call: ServerCall
        ) async throws -> StreamingInputCallResponse { StreamingInputCallResponse() }
        func fullDuplexCall(
            _ requests: RequestStream<ProtobufCodec<StreamingOutputCallRequest>>,
            to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>, call: ServerCall
        ) async throws { try await writer.write(StreamingOutputCallResponse()) }
        func halfDuplexCall(
            _ requests: RequestStream<ProtobufCodec<StreamingOutputCallRequest>>,
            to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>, call: ServerCall
        ) async throws {}
        func unimplementedCall(_ request: Empty, call: ServerCall) async throws -> Empty { request }
    }

    @Test(arguments: [
        ("empty_unary", "empty_unary failed: ABORTED: not today"),
        ("large_unary", "large_unary failed: bytes of the response: expected 314159, came 0"),
        ("client_compressed_unary", "the probe with UnaryCall: expected INVALID_ARGUMENT, came success"),
        ("server_compressed_unary", "whether the response came compressed: expected true, came false"),
        (
            "client_compressed_streaming",
            "the probe with StreamingInputCall: expected INVALID_ARGUMENT, came success"
        ),
        ("server_compressed_streaming", "expected a response of 31415 bytes, came the end of the responses"),
        ("custom_metadata", "custom_metadata failed: bytes of the response: expected 314159, came 0"),
        ("client_streaming", "client_streaming failed: aggregated_payload_size: expected 74922, came 0"),
        ("server_streaming", "bytes of a response of 31415 bytes: expected 31415, came 0"),
        ("ping_pong", "bytes of a response of 31415 bytes: expected 31415, came 0"),
        ("empty_stream", "empty_stream failed: expected the end of the responses, came another response"),
        ("status_code_and_message", "UnaryCall: expected UNKNOWN, came success"),
        ("special_status_message", "UnaryCall: expected UNKNOWN, came success"),
        ("unimplemented_method", "UnimplementedCall: expected UNIMPLEMENTED, came success"),
        ("cancel_after_first_response", "bytes of the first response: expected 31415, came 0"),
        ("rpc_soak", "expected at most 0 of 10 calls to fail or be late, came 10, the first: bytes of the response"),
        ("orca_per_rpc", "orca_per_rpc failed: the report: expected Optional("),
        ("orca_oob", "orca_oob failed: UNIMPLEMENTED"),
        ("rst_after_data", "UnaryCall: expected an error, came success"),
    ])
    func `a case says what it expected and what came`(_ name: String, _ text: String) async throws {
        let running = try Server([IdleService()]).start(on: .host("127.0.0.1", port: 0))
        let client = InteropClient(soak: .patient) { [address = running.addresses[0]] in Channel(to: address) }
        let testCase = try InteropCase.named(name)
        let failure = await #expect(throws: InteropFailure.self) { try await client.run(testCase) }
        #expect(failure?.description.contains(text) == true, "\(failure?.description ?? "")")
        client.channel.close()
        await running.stop(grace: .seconds(30))
    }

    @Test func `a case that expects an error wants one of the server`() async throws {
        let free = try InteropServer.make().start(on: .host("127.0.0.1", port: 0))
        let address = free.addresses[0]
        await free.stop(grace: .zero)
        let client = InteropClient { Channel(to: address) }
        let failure = await #expect(throws: InteropFailure.self) { try await client.run(.named("rst_after_data")) }
        #expect(failure?.description.contains("expected the server to end the call, came UNAVAILABLE") == true)
        client.channel.close()
    }
}
