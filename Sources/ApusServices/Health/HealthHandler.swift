// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf

/// The methods of the health service over a board.
struct HealthHandler: GRPCHealth.Handler {
    let board = HealthBoard()

    // Source: grpc/health/v1/health.proto of gRPC.
    private static let maximumListed = 100

    func check(_ request: GRPCHealthCheckRequest, call: ServerCall) async throws -> GRPCHealthCheckResponse {
        guard let state = board.state(of: request.service) else {
            throw RPCError(.notFound, "the health of \(request.service) is not known")
        }
        return Self.response(state)
    }

    func list(_ request: GRPCHealthListRequest, call: ServerCall) async throws -> GRPCHealthListResponse {
        let states = board.states
        guard states.count <= Self.maximumListed else {
            throw RPCError(
                .resourceExhausted, "\(states.count) services have a health, and \(Self.maximumListed) can be listed")
        }
        return GRPCHealthListResponse(statuses: states.mapValues(Self.response))
    }

    func watch(
        _ request: GRPCHealthCheckRequest, to writer: ResponseWriter<ProtobufCodec<GRPCHealthCheckResponse>>,
        call: ServerCall
    ) async throws {
        let watch = board.watch(request.service)
        defer { board.end(watch) }
        var told: GRPCHealthCheckResponse?
        for await state in watch.states {
            let response = Self.response(state)
            if response != told { try await writer.write(response) }
            told = response
        }
        try Task.checkCancellation()
        throw RPCError(.unavailable, "the server stops")
    }

    private static func response(_ state: Health.State?) -> GRPCHealthCheckResponse {
        switch state {
        case .serving: GRPCHealthCheckResponse(status: .serving)
        case .notServing: GRPCHealthCheckResponse(status: .notServing)
        case .unknown: GRPCHealthCheckResponse(status: .unknown)
        case nil: GRPCHealthCheckResponse(status: .serviceUnknown)
        }
    }
}
