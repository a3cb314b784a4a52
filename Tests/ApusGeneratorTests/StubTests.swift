// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// A service as users write it.
private struct EchoService: Echo.Handler {
    func echo(_ request: EchoRequest, call: ServerCall) async throws -> EchoResponse {
        guard request.id >= 0 else { throw RPCError(.invalidArgument, "id is negative") }
        return EchoResponse(payload: request.payload, name: request.name, id: request.id)
    }

    func download(
        _ request: DownloadRequest, to writer: ResponseWriter<ProtobufCodec<EchoResponse>>, call: ServerCall
    ) async throws {
        for id in 0..<request.count {
            let payload = [UInt8](repeating: 1, count: Int(request.size))
            try await writer.write(EchoResponse(payload: payload, id: Int64(id)))
        }
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
        _ requests: RequestStream<ProtobufCodec<EchoRequest>>,
        to writer: ResponseWriter<ProtobufCodec<EchoResponse>>, call: ServerCall
    ) async throws {
        for try await request in requests { try await writer.write(EchoResponse(name: request.name, id: request.id)) }
    }
}

/// Generated clients and handlers, end to end but for the wire.
struct StubTests {
    private let client: Echo.Client

    init() throws {
        client = Echo.Client(Channel("echo", interceptors: [], transport: try LoopbackTransport([EchoService()])))
    }

    @Test func `a unary call`() async throws {
        let answer = try await client.echo(EchoRequest(payload: [1, 2], name: "n", id: 3))
        #expect(answer == EchoResponse(payload: [1, 2], name: "n", id: 3))
    }

    @Test func `a handler's error reaches the client`() async throws {
        await #expect(throws: RPCError(.invalidArgument, "id is negative")) {
            try await client.echo(EchoRequest(id: -1))
        }
    }

    @Test func `a streamed response`() async throws {
        var ids: [Int64] = []
        for try await answer in try await client.download(DownloadRequest(count: 3, size: 10)) {
            #expect(answer.payload.count == 10)
            ids.append(answer.id)
        }
        #expect(ids == [0, 1, 2])
    }

    @Test func `a streamed request, in both forms`() async throws {
        let summary = try await client.upload { requests in
            for size in 1...4 { try await requests.write(EchoRequest(payload: [UInt8](repeating: 0, count: size))) }
        }
        #expect(summary == UploadSummary(messages: 4, bytes: 10))
        let call = client.upload()
        try await call.requests.write(EchoRequest(payload: [9]))
        call.requests.finish()
        #expect(try await call.response().message == UploadSummary(messages: 1, bytes: 1))
    }

    @Test func `a conversation`() async throws {
        let call = client.chat()
        let answers = try await call.responses()
        for id in 1...3 {
            try await call.requests.write(EchoRequest(name: "ping", id: Int64(id)))
            #expect(try await answers.next() == EchoResponse(name: "ping", id: Int64(id)))
        }
        call.requests.finish()
        #expect(try await answers.next() == nil)
    }

    @Test func `calls without async`() throws {
        let blocking = client.blocking
        #expect(try blocking.echo(EchoRequest(id: 7)).id == 7)
        #expect(throws: RPCError(.invalidArgument, "id is negative")) { try blocking.echo(EchoRequest(id: -1)) }
        let ids = try blocking.download(DownloadRequest(count: 2)).map { try $0.get().id }
        #expect(ids == [0, 1])
        #expect(try blocking.upload([EchoRequest(), EchoRequest()]).messages == 2)
    }

    @Test func `methods are described as the .proto file has them`() {
        #expect(Echo.Methods.chat.descriptor.path == "/bench.Echo/Chat")
        #expect(Echo.Methods.chat.descriptor.kind == .bidirectional)
        #expect(EchoService().routes.map(\.method.name) == ["Echo", "Download", "Upload", "Chat"])
    }
}
