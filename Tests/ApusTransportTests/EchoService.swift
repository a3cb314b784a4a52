// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

typealias BytesMethod = Method<BytesCodec, BytesCodec>

/// A service over plain bytes whose methods show what a transport can do.
struct EchoService: Service {
    enum Methods {
        static let echo = BytesMethod(service: "test.Echo", name: "Echo", kind: .unary)
        static let fail = BytesMethod(service: "test.Echo", name: "Fail", kind: .unary)
        static let hang = BytesMethod(service: "test.Echo", name: "Hang", kind: .unary)
        static let metadata = BytesMethod(service: "test.Echo", name: "Metadata", kind: .unary)
        static let repeatTimes = BytesMethod(service: "test.Echo", name: "Repeat", kind: .serverStreaming)
        static let count = BytesMethod(service: "test.Echo", name: "Count", kind: .clientStreaming)
        static let chat = BytesMethod(service: "test.Echo", name: "Chat", kind: .bidirectional)
        static let unknown = BytesMethod(service: "test.Echo", name: "Unknown", kind: .unary)
    }

    var execution = HandlerExecution.loop
    let hung = Gate()
    let cancelled = Gate()

    var routes: [Route] {
        [
            .unary(Methods.echo) { request, _ in request },
            .unary(Methods.fail) { request, _ in throw Self.failure(request) },
            .unary(Methods.hang) { request, _ in
                hung.open()
                do {
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    cancelled.open()
                    throw error
                }
                return request
            },
            .unary(Methods.metadata) { request, call in
                var answer = Metadata()
                for entry in call.metadata.entries {
                    switch entry.value {
                    case .ascii(let text): answer.add(entry.key, text)
                    case .binary(let bytes): answer.add(entry.key, binary: bytes)
                    }
                }
                call.setInitialMetadata(answer)
                call.setTrailers(["x-trailer": "end"])
                return request
            },
            .serverStreaming(Methods.repeatTimes) { request, writer, _ in
                let count = request.bytes.reduce(0) { $0 << 8 | Int($1) }
                for index in 0..<count { try await writer.write(MessageBytes(Array("\(index)".utf8))) }
            },
            .clientStreaming(Methods.count) { requests, _ in
                var count = 0
                for try await _ in requests { count += 1 }
                return MessageBytes(Array("\(count)".utf8))
            },
            .bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            },
        ]
    }

    private static func failure(_ request: MessageBytes) -> any Error {
        let text = String(decoding: request.bytes, as: UTF8.self)
        if text == "throw" { return SomeError() }
        return RPCError(.failedPrecondition, text, details: [1, 2, 3], metadata: ["x-why": "because"])
    }

    struct SomeError: Error {}
}

/// Something that a test waits for.
final class Gate: Sendable {
    private let pipe = MessagePipe()

    func open() { pipe.finish() }
    func wait() async throws { _ = try await pipe.next() }
}

/// Sends every call to one endpoint.
struct ToEndpoint: RoutingInterceptor {
    let handle: EndpointHandle

    init(_ address: Endpoint.Address) { handle = EndpointHandle(Endpoint(address)) }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.endpoint = handle
        return try await next(call)
    }
}

extension MessageBytes {
    init(_ text: String) { self.init(Array(text.utf8)) }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
