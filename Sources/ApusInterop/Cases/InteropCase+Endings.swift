// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    /// Calls that end otherwise than well.
    static let endings: [InteropCase] = [
        InteropCase("status_code_and_message") { client in
            let status = EchoStatus(code: 2, message: "test status message")
            try await expectStatus(status, of: "UnaryCall") {
                _ = try await client.test.unaryCall(SimpleRequest(responseStatus: status))
            }
            try await expectStatus(status, of: "FullDuplexCall") {
                let call = client.test.fullDuplexCall()
                try await call.requests.write(StreamingOutputCallRequest(responseStatus: status))
                call.requests.finish()
                try await call.responses().expectEnd()
            }
        },
        InteropCase("special_status_message") { client in
            let text = "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n"
            let status = EchoStatus(code: 2, message: text)
            try await expectStatus(status, of: "UnaryCall") {
                _ = try await client.test.unaryCall(SimpleRequest(responseStatus: status))
            }
        },
        InteropCase("unimplemented_method") { client in
            try await expect("UnimplementedCall", failsWith: .unimplemented) {
                _ = try await client.test.unimplementedCall(Empty())
            }
        },
        InteropCase("unimplemented_service") { client in
            try await expect("UnimplementedCall of UnimplementedService", failsWith: .unimplemented) {
                _ = try await UnimplementedService.Client(client.channel).unimplementedCall(Empty())
            }
        },
        InteropCase("cancel_after_begin") { client in
            let call = client.test.streamingInputCall()
            call.cancel()
            try await expect("StreamingInputCall", failsWith: .cancelled) { _ = try await call.response() }
        },
        InteropCase("cancel_after_first_response") { client in
            let call = client.test.fullDuplexCall()
            try await call.requests.write(.wanting(31_415, payload: 27_182))
            let responses = try await call.responses()
            try (await responses.next()?.payload).expectZeros("the first response", 31_415)
            call.cancel()
            try await expect("FullDuplexCall", failsWith: .cancelled) { try await responses.expectEnd() }
        },
        InteropCase("timeout_on_sleeping_server") { client in
            try await expect("FullDuplexCall", failsWith: .deadlineExceeded) {
                let call = client.test.fullDuplexCall(options: CallOptions(timeout: .milliseconds(1)))
                try await call.requests.write(StreamingOutputCallRequest(payload: .zeros(27_182)))
                try await call.responses().expectEnd()
            }
        },
    ]

    private static func expectStatus(
        _ status: EchoStatus, of call: String, _ body: () async throws -> Void
    ) async throws {
        let error = try await expect(call, failsWith: .unknown, body: body)
        try expect("the status message of \(call)", error.message, is: status.message)
    }
}
