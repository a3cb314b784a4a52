// SPDX-License-Identifier: Apache-2.0

import Apus

struct Hello: Echo.Handler {
    func echo(_ request: EchoRequest, call: ServerCall) async throws -> EchoResponse {
        EchoResponse(payload: request.payload, name: "Hello, \(request.name)!", id: request.id)
    }

    func download(
        _ request: DownloadRequest, to writer: ResponseWriter<ProtobufCodec<EchoResponse>>, call: ServerCall
    ) async throws {}

    func upload(_ requests: RequestStream<ProtobufCodec<EchoRequest>>, call: ServerCall) async throws -> UploadSummary {
        UploadSummary()
    }

    func chat(
        _ requests: RequestStream<ProtobufCodec<EchoRequest>>, to writer: ResponseWriter<ProtobufCodec<EchoResponse>>,
        call: ServerCall
    ) async throws {}
}

try await Server([Hello()]).serve(on: .host("127.0.0.1", port: 50051))
