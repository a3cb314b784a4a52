// SPDX-License-Identifier: Apache-2.0

import Apus
import BenchProtos

/// `bench.Echo` as a user of the library would write it.
struct EchoHandler: Echo.Handler {
    func echo(_ request: EchoRequest, call: ServerCall) async throws -> EchoResponse {
        EchoResponse(payload: request.payload, name: request.name, id: request.id)
    }

    func download(
        _ request: DownloadRequest, to writer: ResponseWriter<ProtobufCodec<EchoResponse>>, call: ServerCall
    ) async throws {
        guard request.count >= 0, request.size >= 0 else { throw RPCError(.invalidArgument, "negative count or size") }
        let message = EchoResponse(payload: [UInt8](repeating: 0, count: Int(request.size)))
        for _ in 0..<request.count { try await writer.write(message) }
    }

    func upload(_ requests: RequestStream<ProtobufCodec<EchoRequest>>, call: ServerCall) async throws -> UploadSummary {
        var summary = UploadSummary()
        for try await request in requests {
            summary.messages += 1
            summary.bytes += Int64(request.payload.count)
        }
        return summary
    }

    func chat(
        _ requests: RequestStream<ProtobufCodec<EchoRequest>>, to writer: ResponseWriter<ProtobufCodec<EchoResponse>>,
        call: ServerCall
    ) async throws {
        for try await request in requests {
            try await writer.write(EchoResponse(payload: request.payload, name: request.name, id: request.id))
        }
    }
}
