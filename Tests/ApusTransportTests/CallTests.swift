// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Synchronization
import Testing

/// What a test's channel and server talk over.
enum Medium: String, CaseIterable, Sendable {
    case memory, tcp
}

/// A server with the echo service and a channel to it.
struct Pair {
    let service: EchoService
    let running: RunningServer
    let channel: Channel
    let target: ToEndpoint
    private let network = InMemoryNetwork()

    init(
        _ medium: Medium, execution: HandlerExecution = .loop, serving others: [any Service] = [],
        server options: ServerOptions = ServerOptions(), client: TransportOptions = TransportOptions()
    ) throws {
        service = EchoService(execution: execution)
        let server = try Server([service] + others)
        switch medium {
        case .memory:
            running = try network.start(server, as: "echo", options: options)
            target = ToEndpoint(.memory("echo"))
            channel = Channel("echo", interceptors: [target], transport: network.transport(options: client))
        case .tcp:
            running = try server.start(on: .host("127.0.0.1", port: 0), options: options)
            target = ToEndpoint(running.addresses[0])
            channel = Channel("echo", interceptors: [target], options: client)
        }
    }

    /// Another channel, to an endpoint of one's own.
    func channel(_ target: ToEndpoint) -> Channel {
        guard case .memory = target.handle.endpoint.address else { return Channel("echo", interceptors: [target]) }
        return Channel("echo", interceptors: [target], transport: network.transport())
    }

    /// The server still does its work. Waits for a connection: a test may have made handshakes too short for it.
    func expectGoodService() async throws {
        let options = CallOptions(timeout: .seconds(60), waitForReady: true)
        let answer = try await channel.unary(EchoService.Methods.echo, MessageBytes("fine"), options: options)
        #expect(answer.message.text == "fine")
    }

    func close() async {
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0)
        #expect(running.counts.handlers == 0)
    }
}

@Suite struct CallTests {
    @Test(arguments: Medium.allCases)
    func `a unary call is answered`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let answer = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a message of four megabytes passes both ways`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let big = MessageBytes([UInt8](repeating: 7, count: 4 << 20))
        let answer = try await pair.channel.unary(EchoService.Methods.echo, big)
        #expect(answer.message == big)
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a server stream arrives in order and whole`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let stream = try await pair.channel.serverStreaming(
            EchoService.Methods.repeatTimes, MessageBytes([0x01, 0x86, 0xa0]))
        var next = 0
        for try await message in stream {
            #expect(message.text == "\(next)")
            next += 1
        }
        #expect(next == 100_000)
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a client stream is counted`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let answer = try await pair.channel.clientStreaming(EchoService.Methods.count) { writer in
            for _ in 0..<50_000 { try await writer.write(MessageBytes("x")) }
        }
        #expect(answer.message.text == "50000")
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a chat echoes each message before the next is sent`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let call = pair.channel.bidirectional(EchoService.Methods.chat)
        try await call.requests.write(MessageBytes("0"))
        let responses = try await call.responses()
        for index in 0..<1000 {
            #expect(try await responses.next()?.text == "\(index)")
            try await call.requests.write(MessageBytes("\(index + 1)"))
        }
        call.requests.finish()
        #expect(try await responses.next()?.text == "1000")
        #expect(try await responses.next() == nil)
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `an error brings its status, details and metadata`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.fail, MessageBytes("tab\t, percent % and 中文 🐦\r\n"))
        }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message == "tab\t, percent % and 中文 🐦\r\n")
        #expect(error?.details == [1, 2, 3])
        #expect(error?.metadata["x-why"] == "because")
        await pair.close()
    }

    @Test func `a handler's own errors stay in its process`() async throws {
        let pair = try Pair(.memory)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.fail, MessageBytes("throw"))
        }
        #expect(error?.status == Status(.unknown, "the handler failed"))
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `metadata goes both ways`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        var metadata: Metadata = ["x-one": "1", "x-two": "a", "x-two": "b"]
        metadata.add("x-raw-bin", binary: [0, 255, 7])
        let options = CallOptions(metadata: metadata)
        let answer = try await pair.channel.unary(EchoService.Methods.metadata, MessageBytes(""), options: options)
        #expect(answer.metadata == metadata)
        #expect(answer.trailers == ["x-trailer": "end"])
        await pair.close()
    }

    @Test func `an unknown method is UNIMPLEMENTED and named`() async throws {
        let pair = try Pair(.memory)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.unknown, MessageBytes(""))
        }
        #expect(error?.status == Status(.unimplemented, "unknown method /test.Echo/Unknown"))
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a deadline ends the call on both sides`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(
                EchoService.Methods.hang, MessageBytes(""), options: CallOptions(timeout: .milliseconds(50)))
        }
        #expect(error?.code == .deadlineExceeded)
        // Closing waits for the handler, which waits for an hour unless it was cancelled.
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a cancelled caller cancels the handler`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let task = Task { try await pair.channel.unary(EchoService.Methods.hang, MessageBytes("")) }
        try await pair.service.hung.wait()
        task.cancel()
        let result = await task.result
        #expect(throws: RPCError(.cancelled, "the calling task was cancelled")) { try result.get() }
        try await pair.service.cancelled.wait()
        await pair.close()
    }

    @Test(arguments: [HandlerExecution.loop, .concurrent, .threads(2)])
    func `handlers run where their service says`(_ execution: HandlerExecution) async throws {
        let pair = try Pair(.tcp, execution: execution)
        for index in 0..<100 {
            let answer = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("\(index)"))
            #expect(answer.message.text == "\(index)")
        }
        await pair.close()
    }

    @Test func `a blocking call works outside of event loops`() throws {
        let pair = try Pair(.tcp)
        let answer = try pair.channel.blocking.unary(EchoService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        var texts: [String] = []
        for result in try pair.channel.blocking.serverStreaming(EchoService.Methods.repeatTimes, MessageBytes([3])) {
            texts.append(try result.get().text)
        }
        #expect(texts == ["0", "1", "2"])
        let count = try pair.channel.blocking.clientStreaming(
            EchoService.Methods.count, (0..<10).map { _ in MessageBytes("x") })
        #expect(count.message.text == "10")
    }

    @Test func `a blocking call on an event loop is refused`() async throws {
        let pair = try Pair(.tcp)
        let channel = pair.channel
        let caller = try Server([BlockingCaller(channel: channel)]).start(on: .host("127.0.0.1", port: 0))
        let outer = Channel("caller", interceptors: [ToEndpoint(caller.addresses[0])])
        let error = await #expect(throws: RPCError.self) {
            try await outer.unary(EchoService.Methods.echo, MessageBytes("hello"))
        }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message.hasPrefix("a blocking call on an event loop would stop the loop") == true)
        outer.close()
        await caller.stop()
        await pair.close()
    }

    @Test func `an observer is told of a connection's states`() async throws {
        let network = InMemoryNetwork()
        let running = try network.start(Server([EchoService()]), as: "echo")
        let observer = ConnectivityRecorder()
        let channel = Channel(
            "echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport(), observer: observer)
        _ = try await channel.unary(EchoService.Methods.echo, MessageBytes(""))
        #expect(observer.states.withLock { $0 } == [.connecting, .ready])
        channel.close()
        await running.stop()
    }

    @Test func `a refused connection says where and why`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        await pair.close()
        let channel = Channel("echo", interceptors: [ToEndpoint(address)])
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(EchoService.Methods.echo, MessageBytes(""))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "connect \(address): connection refused")
        #expect(error?.progress == .notConnected)
    }

    @Test func `a port in use is told as such`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        let error = #expect(throws: RPCError.self) { _ = try Server([EchoService()]).start(on: address) }
        #expect(error?.message == "cannot listen on \(address): address already in use")
        await pair.close()
    }
}

/// A service on its event loop whose handler makes the call that it must not make.
private struct BlockingCaller: Service {
    let channel: Channel

    var routes: [Route] {
        [
            .unary(EchoService.Methods.echo) { request, _ in
                try channel.blocking.unary(EchoService.Methods.echo, request).message
            }
        ]
    }
}

private final class ConnectivityRecorder: Observer {
    let states = Mutex<[ConnectivityState]>([])

    func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState) {
        states.withLock { $0.append(state) }
    }
}
