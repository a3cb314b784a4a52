// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    /// Calls to a server that sends what HTTP/2 allows and few servers send.
    static let http2: [InteropCase] = [
        InteropCase("goaway") { client in
            // The second call needs another connection, and the caller does not notice.
            try await expectAnswer(client)
            try await client.clock.sleep(until: client.clock.now.advanced(by: client.pause))
            try await expectAnswer(client)
        },
        InteropCase("rst_after_header") { client in try await expectFailure(client) },
        InteropCase("rst_during_data") { client in try await expectFailure(client) },
        InteropCase("rst_after_data") { client in try await expectFailure(client) },
        InteropCase("ping") { client in try await expectAnswer(client) },
        // These two are in no description, but in the test server and in the client of gRPC C++.
        InteropCase("data_frame_padding") { client in try await expectAnswer(client) },
        InteropCase("no_df_padding_sanity_test") { client in try await expectAnswer(client) },
        InteropCase("max_streams") { client in
            try await expectAnswer(client)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 { group.addTask { try await expectAnswer(client) } }
                try await group.waitForAll()
            }
        },
    ]

    // These servers answer with the wanted size, or with 1024 bytes whatever was wanted.
    private static func expectAnswer(_ client: InteropClient) async throws {
        let response = try await client.test.unaryCall(.large())
        guard response.payload?.body.count != 1024 else { return }
        try response.payload.expectZeros("the response", SimpleRequest.largeResponse)
    }

    // A call that never got to the server fails for another reason than the case's.
    private static func expectFailure(_ client: InteropClient) async throws {
        let error = try await expect("UnaryCall") { _ = try await client.test.unaryCall(.large()) }
        guard error.progress == .sent || error.progress == .answered else {
            throw InteropFailure("UnaryCall: expected the server to end the call, came \(error)")
        }
    }
}
