// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusTelemetry
import ApusTracing
import Synchronization
import TelemetryDemo
import Testing
import Tracing

/// Keeps spans that have ended.
final class Spans: Sendable {
    let all = Mutex<[FinishedSpan]>([])

    func tracer(isRecording: Bool = true) -> TerminalTracer {
        TerminalTracer(isRecording: isRecording) { span in self.all.withLock { $0.append(span) } }
    }

    subscript(name: String) -> [FinishedSpan] { all.withLock { $0.filter { $0.name == name } } }
}

/// Sees the metadata that arrives.
struct Arrivals: ServerInterceptor {
    final class Seen: Sendable {
        let all = Mutex<[Metadata]>([])
    }

    let seen = Seen()

    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        seen.all.withLock { $0.append(call.metadata) }
        return try await next(call)
    }
}

/// Is told nothing that it would keep.
struct Nobody: Observer {}

@Suite(.timeLimit(.minutes(2))) struct TracingTests {
    private let spans = Spans()

    private func channel(
        _ interceptors: [any ClientInterceptor], _ server: [any ServerInterceptor],
        _ body: (Channel) async throws -> Void
    ) async throws {
        let network = InMemoryNetwork()
        let running = try network.start(Server([Greeter()], interceptors: server, observer: Nobody()), as: "greeter")
        let channel = Channel(
            "greeter", interceptors: interceptors, transport: network.transport(), observer: Nobody())
        do {
            try await body(channel)
        } catch {
            Issue.record(error)
        }
        channel.close()
        await running.stop(grace: .seconds(10))
    }

    private func list(_ tracer: TerminalTracer) -> [any ClientInterceptor] {
        [ClientTracing(tracer), PinnedEndpoint(Endpoint(.memory("greeter"))), AttemptTracing(tracer)]
    }

    @Test func `a call through two servers is one trace`() async throws {
        let pair = try WatchedPair(observer: Nobody(), tracer: spans.tracer())
        let answer = try await pair.channel.unary(Greeter.Methods.relay, MessageBytes("Ada".utf8))
        #expect(String(decoding: answer.message.bytes, as: UTF8.self) == "Hello, Ada!")
        await pair.stop()
        let names = ["Sent", "Attempt", "Recv"]
        let relay = try names.map { try #require(spans["\($0).demo.Greeter.Relay"].first) }
        let greet = try names.map { try #require(spans["\($0).demo.Greeter.Greet"].first) }
        let chain = relay + greet
        #expect(Set(chain.map(\.traceID)).count == 1)
        #expect(chain[0].parentID == nil)
        for (parent, child) in zip(chain, chain.dropFirst()) { #expect(child.parentID == parent.spanID) }
        #expect(chain.allSatisfy { $0.status?.code == .ok && !$0.hasError })
        #expect(relay[1].events.map(\.name) == ["Outbound message sent", "Inbound message read"])
        #expect(chain.map(\.kind) == [.client, .client, .server, .client, .client, .server])
    }

    /// Answers, and says on whose actor it was asked.
    private struct Place: ClientInterceptor {
        func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
            guard #isolation === MainActor.shared else { throw RPCError(.aborted, "not on the main actor") }
            return try await next(call)
        }
    }

    @MainActor @Test(arguments: [true, false])
    func `a caller on the main actor pays for no change of thread`(isRecording: Bool) async throws {
        let tracer = spans.tracer(isRecording: isRecording)
        let list: [any ClientInterceptor] = [
            ClientTracing(tracer), PinnedEndpoint(Endpoint(.memory("greeter"))), AttemptTracing(tracer), Place(),
        ]
        try await channel(list, []) { channel in
            _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
        }
    }

    @Test func `an error ends all spans with its status`() async throws {
        try await channel(list(spans.tracer()), [ServerTracing(spans.tracer())]) { channel in
            await #expect(throws: RPCError.self) { try await channel.unary(Greeter.Methods.greet, MessageBytes([])) }
        }
        let ended = spans.all.withLock { $0 }
        #expect(ended.count == 3)
        #expect(ended.allSatisfy { $0.status?.code == .error && $0.status?.message == "INVALID_ARGUMENT" })
        #expect(ended.allSatisfy { $0.hasError })
    }

    @Test func `messages of streams are events, numbered from 0`() async throws {
        try await channel(list(spans.tracer()), [ServerTracing(spans.tracer())]) { channel in
            let call = channel.bidirectional(Greeter.Methods.spell)
            try await call.requests.write(MessageBytes("abc".utf8))
            try await call.requests.write(MessageBytes("d".utf8))
            call.requests.finish()
            var count = 0
            for try await _ in try await call.responses() { count += 1 }
            #expect(count == 4)
        }
        func sizes(_ span: FinishedSpan, _ name: String) -> [Int64] {
            span.events.filter { $0.name == name }.enumerated().map { index, event in
                #expect(event.attributes.get("sequence-number") == .int64(Int64(index)))
                guard case .int64(let size)? = event.attributes.get("message-size") else { return -1 }
                return size
            }
        }
        let attempt = try #require(spans["Attempt.demo.Greeter.Spell"].first)
        #expect(sizes(attempt, "Outbound message sent") == [3, 1])
        #expect(sizes(attempt, "Inbound message read") == [1, 1, 1, 1])
        let received = try #require(spans["Recv.demo.Greeter.Spell"].first)
        #expect(sizes(received, "Inbound message read") == [3, 1])
        #expect(sizes(received, "Outbound message sent") == [1, 1, 1, 1])
    }

    @Test func `each try has a span, and the call has events of picks and retries`() async throws {
        let tracer = spans.tracer()
        let attempts = Mutex(0)
        struct FailOnce: ClientInterceptor {
            let body: @Sendable () throws -> Void
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                try body()
                return try await next(call)
            }
        }
        let failing = FailOnce {
            if attempts.withLock({ count in
                count += 1
                return count == 1
            }) {
                throw RPCError(.unavailable, "the first one fails")
            }
        }
        let interceptors: [any ClientInterceptor] = [
            ClientTracing(tracer), Retry(.exponential(initial: .zero)), PinnedEndpoint(Endpoint(.memory("greeter"))),
            AttemptTracing(tracer), failing,
        ]
        try await channel(interceptors, []) { channel in
            _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
        }
        let tries = spans["Attempt.demo.Greeter.Greet"]
        #expect(tries.map { $0.attributes.get("previous-rpc-attempts") } == [.int64(0), .int64(1)])
        #expect(tries.map { $0.status?.code } == [.error, .ok])
        let sent = try #require(spans["Sent.demo.Greeter.Greet"].first)
        #expect(
            sent.events.map(\.name).filter { $0 != "Waiting for a connection" } == [
                "Endpoint picked", "Trying again", "Endpoint picked",
            ])
        #expect(tries.allSatisfy { $0.parentID == sent.spanID })
    }

    @Test func `the trace travels as text and as bytes, and either is understood`() async throws {
        let arrivals = Arrivals()
        try await channel(list(spans.tracer()), [arrivals]) { channel in
            _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
        }
        let attempt = try #require(spans["Attempt.demo.Greeter.Greet"].first)
        let metadata = try #require(arrivals.seen.all.withLock { $0.first })
        #expect(metadata["traceparent"] == "00-\(attempt.traceID)-\(attempt.spanID)-01")
        let bytes = try #require(metadata[binary: "grpc-trace-bin"])
        #expect(bytes.count == 29)

        for form in [["traceparent"], ["grpc-trace-bin"]] {
            let server = Spans()
            try await channel([PinnedEndpoint(Endpoint(.memory("greeter")))], [ServerTracing(server.tracer())]) {
                channel in
                var sent = Metadata()
                if form == ["traceparent"] {
                    sent["traceparent"] = metadata["traceparent"]
                } else {
                    sent[binary: "grpc-trace-bin"] = bytes
                }
                _ = try await channel.unary(
                    Greeter.Methods.greet, MessageBytes("Ada".utf8), options: CallOptions(metadata: sent))
            }
            let span = try #require(server["Recv.demo.Greeter.Greet"].first)
            #expect((span.traceID, span.parentID) == (attempt.traceID, attempt.spanID))
        }
    }

    @Test func `what tracers on the way have added is passed on`() async throws {
        let arrivals = Arrivals()
        var context = ServiceContext.topLevel
        context.position = TracePosition(
            traceID: String(repeating: "a", count: 32), spanID: String(repeating: "b", count: 16), state: "vendor=1")
        try await channel(list(spans.tracer()), [arrivals]) { [context] channel in
            try await ServiceContext.$current.withValue(context) {
                _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
            }
        }
        #expect(arrivals.seen.all.withLock { $0.first?["tracestate"] } == "vendor=1")
        #expect(spans["Sent.demo.Greeter.Greet"].first?.parentID == String(repeating: "b", count: 16))
    }

    @Test func `several lines of tracestate are one list`() async throws {
        var sent: Metadata = ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
        sent.add("tracestate", "one=1")
        sent.add("tracestate", "two=2,three=3")
        let state = Mutex<String?>(nil)
        struct Reading: ServerInterceptor {
            let read: @Sendable () -> Void
            func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
                read()
                return try await next(call)
            }
        }
        let reading = Reading { state.withLock { $0 = ServiceContext.current?.position?.state } }
        try await channel(
            [PinnedEndpoint(Endpoint(.memory("greeter")))], [ServerTracing(spans.tracer()), reading]
        ) { [sent] channel in
            _ = try await channel.unary(
                Greeter.Methods.greet, MessageBytes("Ada".utf8), options: CallOptions(metadata: sent))
        }
        #expect(state.withLock { $0 } == "one=1,two=2,three=3")
        #expect(spans["Recv.demo.Greeter.Greet"].first?.parentID == "00f067aa0ba902b7")
    }

    @Test(arguments: [true, false])
    func `a server's span says what the client was told, not what its handler did`(_ isObserved: Bool) async throws {
        // Answers when its client has gone: its answer comes too late.
        struct Late: ServerInterceptor {
            func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
                try? await Task.sleep(for: .seconds(3600))
                return try await next(call)
            }
        }
        let network = InMemoryNetwork()
        let server = try Server(
            [Greeter()], interceptors: [ServerTracing(spans.tracer()), Late()], observer: isObserved ? Nobody() : nil)
        let running = try network.start(server, as: "greeter")
        let channel = Channel(
            "greeter", interceptors: [PinnedEndpoint(Endpoint(.memory("greeter")))], transport: network.transport())
        // A busy machine's client may give up before the server hears of the call, or before the server itself does.
        repeat {
            await #expect(throws: RPCError.self) {
                try await channel.unary(
                    Greeter.Methods.greet, MessageBytes("Ada".utf8), options: CallOptions(timeout: .milliseconds(200)))
            }
            try await Task.sleep(for: .milliseconds(1))
        } while spans["Recv.demo.Greeter.Greet"].isEmpty
        channel.close()
        await running.stop(grace: .seconds(10))
        let ended = spans["Recv.demo.Greeter.Greet"]
        #expect(ended.allSatisfy { $0.status?.code == .error })
        #expect(ended.allSatisfy { ["DEADLINE_EXCEEDED", "CANCELLED"].contains($0.status?.message) })
    }

    @Test func `a long stream's span has a bounded number of events, and says how many it left out`() async throws {
        try await channel(list(spans.tracer()), [ServerTracing(spans.tracer())]) { channel in
            let call = channel.bidirectional(Greeter.Methods.spell)
            try await call.requests.write(MessageBytes([UInt8](repeating: 65, count: 1000)))
            call.requests.finish()
            var count = 0
            for try await _ in try await call.responses() { count += 1 }
            #expect(count == 1000)
        }
        for name in ["Attempt", "Recv"] {
            let span = try #require(spans["\(name).demo.Greeter.Spell"].first)
            #expect(span.events.count == 96)
            #expect(span.attributes.get("apus.events_left_out") == .int64(905))
        }
    }

    @Test func `a try that no policy counts says so, a retry does not`() async throws {
        let count = Mutex(0)
        struct Failing: ClientInterceptor {
            let body: @Sendable () throws -> Void
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                let response = try await next(call)
                try body()
                return response
            }
        }
        // Behind the transport's answer: each of these tries was one.
        let failing = Failing {
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number == 1 { throw RPCError(.unavailable, "it never left", progress: .notSent) }
            if number == 2 { throw RPCError(.unavailable, "it failed") }
        }
        let interceptors: [any ClientInterceptor] = [
            ClientTracing(spans.tracer()), Retry(.exponential(initial: .zero)),
            PinnedEndpoint(Endpoint(.memory("greeter"))), AttemptTracing(spans.tracer()), failing,
        ]
        try await channel(interceptors, []) { channel in
            _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
        }
        let tries = spans["Attempt.demo.Greeter.Greet"]
        #expect(tries.map { $0.attributes.get("previous-rpc-attempts") } == [.int64(0), .int64(0), .int64(1)])
        #expect(tries.map { $0.attributes.get("transparent-retry") } == [.bool(false), .bool(true), .bool(false)])
    }

    @Test func `a trace that nobody records still travels`() async throws {
        let arrivals = Arrivals()
        try await channel(list(spans.tracer(isRecording: false)), [arrivals]) { channel in
            _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
        }
        #expect(arrivals.seen.all.withLock { $0.first?["traceparent"]?.hasSuffix("-00") } == true)
        #expect(spans.all.withLock { $0.isEmpty })
    }

    @Test func `without a tracer calls are as they were`() async throws {
        let arrivals = Arrivals()
        let interceptors: [any ClientInterceptor] = [
            ClientTracing(NoOpTracer()), PinnedEndpoint(Endpoint(.memory("greeter"))), AttemptTracing(NoOpTracer()),
        ]
        try await channel(interceptors, [ServerTracing(NoOpTracer()), arrivals]) { channel in
            _ = try await channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8))
        }
        #expect(arrivals.seen.all.withLock { $0.first?.isEmpty } == true)
    }
}
