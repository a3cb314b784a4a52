// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A codec for which all bytes but `good` are garbage.
enum PickyCodec: MessageCodec {
    static func encode(_ message: String) throws(RPCError) -> MessageBytes { MessageBytes(message) }

    static func decode(_ bytes: MessageBytes) throws(RPCError) -> String {
        guard bytes.text == "good" else { throw RPCError(.internal, "not a message of this type") }
        return bytes.text
    }
}

/// Handlers that do what handlers should not, and one that waits for a test's word.
struct OddService: Service {
    enum Methods {
        static let picky = Method<PickyCodec, PickyCodec>(service: "test.Odd", name: "Picky", kind: .unary)
        static let illegalHead = BytesMethod(service: "test.Odd", name: "IllegalHead", kind: .serverStreaming)
        static let bigHead = BytesMethod(service: "test.Odd", name: "BigHead", kind: .serverStreaming)
        static let held = BytesMethod(service: "test.Odd", name: "Held", kind: .unary)
        static let flood = BytesMethod(service: "test.Odd", name: "Flood", kind: .serverStreaming)
    }

    /// Opens when a held or flooding handler runs.
    let entered = Gate()
    /// Lets held handlers go on.
    let leave = Gate()
    /// Opens when a flooding handler was stopped.
    let stopped = Gate()

    var routes: [Route] {
        [
            .unary(Methods.picky) { request, _ in request },
            .serverStreaming(Methods.illegalHead) { request, writer, call in
                call.setInitialMetadata(["x-echo": request.text])
                call.sendInitialMetadata()
                try await writer.write(request)
            },
            .serverStreaming(Methods.bigHead) { request, writer, call in
                call.setInitialMetadata(["x-big": String(repeating: "b", count: 20_000)])
                try await flood(writer)
            },
            .unary(Methods.held) { request, _ in
                entered.open()
                try await leave.wait()
                return request
            },
            .serverStreaming(Methods.flood) { _, writer, _ in
                entered.open()
                try await flood(writer)
            },
        ]
    }

    // Goes on until nobody listens.
    private func flood(_ writer: ResponseWriter<BytesCodec>) async throws {
        let chunk = MessageBytes([UInt8](repeating: 1, count: 8192))
        do {
            while true { try await writer.write(chunk) }
        } catch {
            stopped.open()
            throw error
        }
    }
}
