// SPDX-License-Identifier: Apache-2.0

import EchoProtos
import Foundation
import GRPCCore

/// `bench.Echo` as a user of grpc-swift-2 would write it.
struct EchoService: Bench_Echo.SimpleServiceProtocol {
    func echo(request: Bench_EchoRequest, context: ServerContext) async throws -> Bench_EchoResponse {
        Self.answer(request)
    }

    func download(
        request: Bench_DownloadRequest, response: RPCWriter<Bench_EchoResponse>, context: ServerContext
    ) async throws {
        let message = Bench_EchoResponse.with { $0.payload = Data(count: Int(request.size)) }
        for _ in 0..<request.count { try await response.write(message) }
    }

    func upload(
        request: RPCAsyncSequence<Bench_EchoRequest, any Error>, context: ServerContext
    ) async throws -> Bench_UploadSummary {
        var summary = Bench_UploadSummary()
        for try await message in request {
            summary.messages += 1
            summary.bytes += Int64(message.payload.count)
        }
        return summary
    }

    func chat(
        request: RPCAsyncSequence<Bench_EchoRequest, any Error>, response: RPCWriter<Bench_EchoResponse>,
        context: ServerContext
    ) async throws {
        for try await message in request { try await response.write(Self.answer(message)) }
    }

    private static func answer(_ request: Bench_EchoRequest) -> Bench_EchoResponse {
        .with {
            $0.payload = request.payload
            $0.name = request.name
            $0.id = request.id
        }
    }
}
