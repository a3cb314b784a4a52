// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusOTLP
import ApusProtobuf
import ApusTestSupport
import ApusTransport
import Synchronization

/// A receiver of spans and log records that keeps what it gets, and refuses as often as it is told.
final class ScriptedCollector: Service {
    private struct State {
        var spans: [Span] = []
        var records: [LogRecord] = []
        var failures: [RPCError] = []
        var requests = 0
    }

    private let state = Mutex(State())

    var spans: [Span] { state.withLock { $0.spans } }
    var records: [LogRecord] { state.withLock { $0.records } }
    var requests: Int { state.withLock { $0.requests } }

    func fail(_ errors: RPCError...) { state.withLock { $0.failures += errors } }

    /// The routes of both services.
    var routes: [Route] {
        [
            .unary(TraceService.Methods.export) { try await self.export($0, call: $1) },
            .unary(LogsService.Methods.export) { try await self.export($0, call: $1) },
        ]
    }

    func export(_ request: ExportTraceServiceRequest, call: ServerCall) async throws -> ExportTraceServiceResponse {
        try take { $0.spans += request.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans) }
        return ExportTraceServiceResponse(partialSuccess: ExportTracePartialSuccess(rejectedSpans: 1))
    }

    func export(_ request: ExportLogsServiceRequest, call: ServerCall) async throws -> ExportLogsServiceResponse {
        try take { $0.records += request.resourceLogs.flatMap(\.scopeLogs).flatMap(\.logRecords) }
        return ExportLogsServiceResponse()
    }

    private func take(_ note: (inout State) -> Void) throws {
        let failure = state.withLock { state -> RPCError? in
            state.requests += 1
            guard state.failures.isEmpty else { return state.failures.removeFirst() }
            note(&state)
            return nil
        }
        if let failure { throw failure }
    }
}

/// A service that calls another, over plain bytes.
struct Relay: Service {
    static let method = Method<BytesCodec, BytesCodec>(service: "demo.Relay", name: "Pass", kind: .unary)
    static let spell = Method<BytesCodec, BytesCodec>(service: "demo.Relay", name: "Spell", kind: .bidirectional)

    let other: Channel?

    var routes: [Route] {
        [
            .unary(Self.method) { request, _ in
                guard let other else { throw RPCError(.notFound, "nobody there") }
                return try await other.unary(Self.method, request).message
            },
            .bidirectional(Self.spell) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            },
        ]
    }
}

extension InMemoryNetwork {
    /// A channel to a server of the network.
    func channel(
        to name: String, outer: [any ClientInterceptor] = [], inner: [any ClientInterceptor] = [],
        observer: (any Observer)? = nil
    ) -> Channel {
        Channel(
            name, interceptors: outer + [PinnedEndpoint(Endpoint(.memory(name)))] + inner, transport: transport(),
            observer: observer)
    }
}
