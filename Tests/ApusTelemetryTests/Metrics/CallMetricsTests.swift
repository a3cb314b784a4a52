// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTelemetry
import ApusTestSupport
import ApusTransport
import Testing

@Suite struct CallMetricsTests {
    private let script = ScriptedTransport()
    private let clock = ManualClock()
    private let registry = MetricRegistry()

    private func channel(_ interceptors: [any ClientInterceptor] = [], maximumMethods: Int = 10) -> Channel {
        let metrics = CallMetrics(registry, maximumMethods: maximumMethods)
        return Channel("users", interceptors: interceptors, transport: script, observer: metrics, clock: clock)
    }

    @Test func `a call is measured from its start to its end`() async throws {
        script.expect().run { [clock] call in
            clock.advance(by: .milliseconds(7))
            call.record?.messageSent(11)
            call.record?.messageReceived(20)
            call.record?.messageReceived(22)
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        try await channel().ask()
        #expect(registry.counts("grpc.client.attempt.started") == ["test.Service/Unary|users": 1])
        let key = "test.Service/Unary|users|OK"
        #expect(registry.sums("grpc.client.call.duration") == [key: 7_000_000])
        #expect(registry.sums("grpc.client.attempt.duration") == [key: 7_000_000])
        #expect(registry.sums("grpc.client.attempt.sent_total_compressed_message_size") == [key: 11])
        #expect(registry.sums("grpc.client.attempt.rcvd_total_compressed_message_size") == [key: 42])
        #expect(registry.counts("grpc.client.call.retry_delay").isEmpty)
    }

    @Test func `a streamed call is measured when its stream ends`() async throws {
        let responses = ScriptedResponses()
        script.expect().reply(responses)
        _ = try await channel().start(.serverStreaming, .one(MessageBytes([])))
        #expect(registry.counts("grpc.client.call.duration").isEmpty)
        clock.advance(by: .seconds(3))
        responses.end(RPCError(.dataLoss, "scripted"))
        let key = "test.Service/Watch|users|DATA_LOSS"
        #expect(registry.sums("grpc.client.call.duration") == [key: 3_000_000_000])
        #expect(registry.sums("grpc.client.attempt.duration") == [key: 3_000_000_000])
    }

    @Test func `tries are measured each, and the call with the time between them`() async throws {
        script.expect { [clock] _ in clock.advance(by: .milliseconds(1)) }.fail(.unavailable)
        script.expect { [clock] _ in clock.advance(by: .milliseconds(2)) }.fail(.unavailable)
        script.expect { [clock] _ in clock.advance(by: .milliseconds(4)) }.reply()
        let schedule = RetrySchedule.exponential(
            maxAttempts: 5, initial: .milliseconds(100), multiplier: 1, jitter: 1...1)
        let retry = Retry(schedule, clock: clock)
        let channel = channel([retry])
        async let answer = channel.ask()
        for _ in 0..<2 {
            await clock.waitForSleepers()
            clock.advance(by: .milliseconds(100))
        }
        _ = try await answer
        let method = "test.Service/Unary|users"
        #expect(registry.counts("grpc.client.attempt.started") == [method: 3])
        #expect(
            registry.sums("grpc.client.attempt.duration")
                == ["\(method)|UNAVAILABLE": 3_000_000, "\(method)|OK": 4_000_000])
        #expect(registry.sums("grpc.client.call.duration") == ["\(method)|OK": 207_000_000])
        #expect(registry.sums("grpc.client.call.retries") == [method: 2])
        #expect(registry.sums("grpc.client.call.retry_delay") == [method: 200_000_000])
        #expect(registry.counts("grpc.client.call.hedges").isEmpty)
        #expect(registry.counts("grpc.client.call.transparent_retries").isEmpty)
    }

    @Test func `retries that no policy counts are told apart`() async throws {
        script.expect().fail(.unavailable, progress: .notSent)
        script.expect().fail(.unavailable, progress: .refused)
        script.expect().reply()
        try await channel().ask()
        let method = "test.Service/Unary|users"
        #expect(registry.sums("grpc.client.call.transparent_retries") == [method: 2])
        #expect(registry.counts("grpc.client.call.retries").isEmpty)
    }

    @Test func `copies of a hedged call are hedges`() async throws {
        script.expect().fail(.unavailable)
        script.expect().reply("second")
        let hedging = Hedging(maxAttempts: 2, delay: .fixed(.seconds(1)), clock: clock)
        #expect(try await channel([hedging]).ask() == "second")
        let method = "test.Service/Unary|users"
        #expect(registry.sums("grpc.client.call.hedges") == [method: 1])
        #expect(registry.counts("grpc.client.call.retries").isEmpty)
        #expect(registry.counts("grpc.client.attempt.started") == [method: 2])
    }

    @Test func `methods above the limit are one`() async throws {
        script.otherwise.reply()
        let channel = channel(maximumMethods: 2)
        for name in ["A", "B", "C", "D", "A"] {
            let method = MethodDescriptor(service: "test.Service", name: name, kind: .unary)
            _ = try await channel.start(method, .one(MessageBytes([])))
        }
        #expect(
            registry.counts("grpc.client.attempt.started")
                == ["test.Service/A|users": 2, "test.Service/B|users": 1, "other|other": 2])
        #expect(registry.counts("grpc.client.call.duration")["other|other|OK"] == 2)
    }

    @Test func `picks are counted by endpoint`() async throws {
        script.otherwise.reply()
        let channel = channel([FixedCandidates(ports: 1..<4), RoundRobin()])
        for _ in 0..<9 { try await channel.ask() }
        #expect(
            registry.counts("apus.client.picks")
                == ["users|127.0.0.1:1": 3, "users|127.0.0.1:2": 3, "users|127.0.0.1:3": 3])
    }

    @Test func `picks are counted by the target of their calls, though channels share the endpoint`() async throws {
        script.otherwise.reply()
        let metrics = CallMetrics(registry)
        let pinned = PinnedEndpoint(.local(1))
        let channels = (0..<20).map { number in
            Channel("target\(number)", interceptors: [pinned], transport: script, observer: metrics, clock: clock)
        }
        for (number, channel) in channels.enumerated() { for _ in 0...number { try await channel.ask() } }
        let expected = (0..<20).map { ("target\($0)|127.0.0.1:1", $0 + 1) }
        #expect(registry.counts("apus.client.picks") == Dictionary(uniqueKeysWithValues: expected))
    }

    @Test func `calls that end before their handlers are counted`() async throws {
        let network = InMemoryNetwork()
        let upper = Method<BytesCodec, BytesCodec>(service: "test.Text", name: "Upper", kind: .unary)
        let split = Method<BytesCodec, BytesCodec>(service: "test.Text", name: "Split", kind: .bidirectional)
        var options = ServerOptions()
        options.maximumRequestBytes = 10
        let running = try network.start(
            Server([TextService(upper: upper, split: split)], observer: CallMetrics(registry)), as: "text",
            options: options)
        let channel = Channel(
            "text", interceptors: [PinnedEndpoint(Endpoint(.memory("text")))], transport: network.transport())
        await #expect(throws: RPCError.self) { try await channel.unary(upper, MessageBytes("hello, world".utf8)) }
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(registry.counts("grpc.server.call.started") == ["test.Text/Upper": 1])
        #expect(registry.counts("grpc.server.call.duration") == ["test.Text/Upper|RESOURCE_EXHAUSTED": 1])
    }

    @Test func `calls that are refused before their handlers are counted, and unknown methods are one`() async throws {
        let network = InMemoryNetwork()
        let metrics = CallMetrics(registry)
        let upper = Method<BytesCodec, BytesCodec>(service: "test.Text", name: "Upper", kind: .unary)
        let split = Method<BytesCodec, BytesCodec>(service: "test.Text", name: "Split", kind: .bidirectional)
        let service = TextService(upper: upper, split: split)
        let running = try network.start(
            Server([service], interceptors: [Closed()], observer: metrics), as: "text")
        let channel = Channel(
            "text", interceptors: [PinnedEndpoint(Endpoint(.memory("text")))], transport: network.transport())
        await #expect(throws: RPCError.self) { try await channel.unary(upper, MessageBytes([])) }
        for name in ["A", "B"] {
            let unknown = Method<BytesCodec, BytesCodec>(service: "test.Unknown", name: name, kind: .unary)
            await #expect(throws: RPCError.self) { try await channel.unary(unknown, MessageBytes([])) }
        }
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(registry.counts("grpc.server.call.started") == ["test.Text/Upper": 1, "other": 2])
        #expect(
            registry.counts("grpc.server.call.duration")
                == ["test.Text/Upper|RESOURCE_EXHAUSTED": 1, "other|UNIMPLEMENTED": 2])
    }

    @Test func `sizes of both sides are those on the wire`() async throws {
        let network = InMemoryNetwork()
        let metrics = CallMetrics(registry)
        let upper = Method<BytesCodec, BytesCodec>(service: "test.Text", name: "Upper", kind: .unary)
        let split = Method<BytesCodec, BytesCodec>(service: "test.Text", name: "Split", kind: .bidirectional)
        let service = TextService(upper: upper, split: split)
        let running = try network.start(Server([service], observer: metrics), as: "text")
        let channel = Channel(
            "text", interceptors: [PinnedEndpoint(Endpoint(.memory("text")))], transport: network.transport(),
            observer: metrics)
        _ = try await channel.unary(upper, MessageBytes("abc".utf8))
        await #expect(throws: RPCError.self) { try await channel.unary(upper, MessageBytes([])) }
        let call = channel.bidirectional(split)
        try await call.requests.write(MessageBytes("hello".utf8))
        call.requests.finish()
        var answers = 0
        for try await _ in try await call.responses() { answers += 1 }
        #expect(answers == 5)
        channel.close()
        await running.stop(grace: .seconds(10))

        for side in ["grpc.client.attempt", "grpc.server.call"] {
            let target = side.contains("client") ? "|text" : ""
            let (unary, stream) = ("test.Text/Upper\(target)", "test.Text/Split\(target)")
            #expect(registry.counts("\(side).started") == [unary: 2, stream: 1])
            #expect(
                registry.sums("\(side).sent_total_compressed_message_size")
                    == ["\(unary)|OK": 3, "\(unary)|INVALID_ARGUMENT": 0, "\(stream)|OK": 5])
            #expect(
                registry.sums("\(side).rcvd_total_compressed_message_size")
                    == ["\(unary)|OK": 3, "\(unary)|INVALID_ARGUMENT": 0, "\(stream)|OK": 5])
            #expect(registry.counts("\(side).duration")["\(unary)|OK"] == 1)
        }
        #expect(registry.counts("grpc.subchannel.connection_attempts_succeeded") == ["memory:text": 1])
        #expect(registry.counts("grpc.subchannel.disconnections") == ["memory:text": 1])
        #expect(registry.counts("grpc.subchannel.open_connections") == ["memory:text": 0])
    }
}

/// Lets nobody in.
private struct Closed: AdmittingInterceptor {
    func admit(_ head: ServerCallHead) throws(RPCError) { throw RPCError(.resourceExhausted, "too many") }
    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse { try await next(call) }
}

/// Answers with upper case, and sends a message's bytes back one by one.
private struct TextService: Service {
    let upper: Method<BytesCodec, BytesCodec>
    let split: Method<BytesCodec, BytesCodec>

    var routes: [Route] {
        [
            .unary(upper) { request, _ in
                guard !request.isEmpty else { throw RPCError(.invalidArgument, "nothing to do") }
                return MessageBytes(String(decoding: request.bytes, as: UTF8.self).uppercased().utf8)
            },
            .bidirectional(split) { requests, writer, _ in
                for try await request in requests {
                    for byte in request.bytes { try await writer.write(MessageBytes([byte])) }
                }
            },
        ]
    }
}
