// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

/// A service over bytes that answers compressed when the call's metadata asks for it, and tells in its trailers which
/// requests had arrived compressed ("1" or "0" each) and whether the answer could be compressed.
struct CompressedService: Service {
    enum Methods {
        static let echo = BytesMethod(service: "test.Compressed", name: "Echo", kind: .unary)
        static let join = BytesMethod(service: "test.Compressed", name: "Join", kind: .clientStreaming)
        static let thrice = BytesMethod(service: "test.Compressed", name: "Thrice", kind: .serverStreaming)
        static let chat = BytesMethod(service: "test.Compressed", name: "Chat", kind: .bidirectional)
        static let swallow = BytesMethod(service: "test.Compressed", name: "Swallow", kind: .bidirectional)
        static let flag = BytesMethod(service: "test.Compressed", name: "Flag", kind: .unary)
    }

    var routes: [Route] {
        [
            .unary(Methods.echo) { request, call in
                Self.begin(call, "\(request.arrivedCompressed ? 1 : 0)")
                return request
            },
            .clientStreaming(Methods.join) { requests, call in
                var all: [UInt8] = []
                var arrived = ""
                for try await request in requests {
                    all += request.bytes
                    arrived += request.arrivedCompressed ? "1" : "0"
                }
                Self.begin(call, arrived)
                return MessageBytes(all)
            },
            .serverStreaming(Methods.thrice) { request, writer, call in
                Self.begin(call, "\(request.arrivedCompressed ? 1 : 0)")
                // Each its own copy: a mark on one is none on the others.
                try await writer.write(MessageBytes(request.bytes))
                try await writer.write(MessageBytes(request.bytes), compress: false)
                try await writer.write(MessageBytes(request.bytes))
            },
            .bidirectional(Methods.chat) { requests, writer, call in
                var arrived = ""
                Self.begin(call, "")
                for try await request in requests {
                    arrived += request.arrivedCompressed ? "1" : "0"
                    try await writer.write(request)
                }
                call.setTrailers(["x-arrived": arrived])
            },
            .bidirectional(Methods.swallow) { requests, writer, _ in
                do {
                    for try await request in requests { try await writer.write(request) }
                } catch {
                    return
                }
            },
            // Compressed bytes in a response whose head names no encoding.
            .unary(Methods.flag) { _, _ in try MessageBytes(compressed: [1, 2, 3]) },
        ]
    }

    private static func begin(_ call: ServerCall, _ arrived: String) {
        var trailers: Metadata = ["x-arrived": arrived]
        if let name = call.metadata["x-answer"] {
            trailers.add("x-agreed", "\(call.compressResponses(with: Compression(name)))")
        }
        call.setTrailers(trailers)
    }
}

/// A compressor whose output a test chooses: what a hostile or broken peer sends.
struct Forger: Compressor {
    var compression = Compression.gzip
    var output: [UInt8]

    func compress(_ message: MessageBytes) throws(RPCError) -> [UInt8]? { output }
    func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8] { message.bytes }
}

/// Notes every message that passes the interceptors, on either side.
final class Witness: ClientInterceptor, ServerInterceptor {
    let requests = Noted()
    let responses = Noted()

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        switch call.request {
        case .one(let message): requests.note(message)
        case .stream(let source): call.request = .stream(WitnessedSource(source, requests))
        }
        var response = try await next(call)
        switch response.body {
        case .one(let message, _): responses.note(message)
        case .stream(let source): response.body = .stream(WitnessedResponses(source, responses))
        }
        return response
    }

    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        var call = call
        switch call.request {
        case .one(let message): requests.note(message)
        case .stream(let source): call.request = .stream(WitnessedSource(source, requests))
        }
        let response = try await next(call)
        if let message = response.message { responses.note(message) }
        return response
    }
}
