// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@Suite struct CallRecordTests {
    /// Keeps the records of calls and tries when they end.
    private final class Records: Observer {
        let calls = Mutex<[CallRecord]>([])
        let attempts = Mutex<[CallRecord]>([])
        let started = Atomic<Int>(0)

        func attemptStarted(_ call: ClientCall) {
            if call.record?.duration == nil { started.add(1, ordering: .relaxed) }
        }
        func callEnded(_ call: ClientCall, error: RPCError?) {
            calls.withLock { $0 += [call.record].compactMap(\.self) }
        }
        func attemptEnded(_ call: ClientCall, error: RPCError?) {
            attempts.withLock { $0 += [call.record].compactMap(\.self) }
        }
    }

    private let script = ScriptedTransport()
    private let clock = ManualClock()
    private let records = Records()

    private func channel() -> Channel {
        Channel("users", interceptors: [], transport: script, observer: records, clock: clock)
    }

    @Test func `who listens in reads the tries of the whole call`() async throws {
        struct Listening: ClientInterceptor {
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                var call = call
                call.observer = call.observer
                return try await next(call)
            }
        }
        let transparent = Mutex<[Bool]>([])
        struct Last: ClientInterceptor {
            let note: @Sendable (ClientCall) -> Void
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                note(call)
                return try await next(call)
            }
        }
        script.expect { #expect($0.record?.attempts == 1) }.fail(.unavailable, progress: .notSent)
        script.expect { #expect($0.record?.attempts == 2) }.reply()
        let last = Last { call in
            transparent.withLock { $0.append(call.record?.hasTried(call.attempt) ?? false) }
        }
        let channel = Channel(
            "users", interceptors: [Listening(), last], transport: script, observer: records, clock: clock)
        try await channel.ask()
        #expect(transparent.withLock { $0 } == [false, true])
        #expect(script.unmet == 0)
        let attempt = try #require(records.attempts.withLock { $0 }.last)
        #expect(attempt.attempts == 2)
        #expect((attempt.retries.retries, attempt.retries.transparent) == (0, 1))
    }

    @Test func `a retry is none of the tries that no policy counts, whatever came before it`() async throws {
        // The first try goes out twice, then a policy makes the second one.
        struct Numbered: RetryingInterceptor {
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                var call = call
                for number in [1, 1, 2] {
                    call.attempt = number
                    if let response = try? await next(call) { return response }
                }
                throw RPCError(.internal, "not in the script")
            }
        }
        let seen = Mutex<[Bool]>([])
        struct Last: ClientInterceptor {
            let note: @Sendable (ClientCall) -> Void
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                note(call)
                return try await next(call)
            }
        }
        script.expect().fail(.unavailable)
        script.expect().fail(.unavailable)
        script.expect().reply()
        let last = Last { call in seen.withLock { $0.append(call.record?.hasTried(call.attempt) ?? false) } }
        let channel = Channel(
            "users", interceptors: [Numbered(), last], transport: script, observer: records, clock: clock)
        try await channel.ask()
        #expect(seen.withLock { $0 } == [false, true, false])
        let call = try #require(records.calls.withLock { $0 }.first)
        #expect((call.retries.retries, call.retries.transparent) == (1, 1))
    }

    @Test func `a call without an observer has no record`() async throws {
        script.expect { #expect($0.record == nil) }.reply()
        try await Channel("users", interceptors: [], transport: script).ask()
        #expect(script.unmet == 0)
    }

    @Test func `the record of a call adds up those of its tries`() async throws {
        script.expect { [clock] call in
            call.record?.messageSent(5)
            clock.advance(by: .seconds(1))
        }.fail(.unavailable, progress: .notSent)
        script.expect { [clock] call in
            call.record?.messageSent(5)
            call.record?.messageReceived(9)
            clock.advance(by: .seconds(2))
        }.reply()
        try await channel().ask()
        let attempts = records.attempts.withLock { $0 }
        #expect(records.started.load(ordering: .relaxed) == 2)
        #expect(attempts.map(\.duration) == [.seconds(1), .seconds(2)])
        #expect(attempts.map(\.sentBytes) == [5, 5])
        #expect(attempts.map(\.receivedBytes) == [0, 9])
        let call = try #require(records.calls.withLock { $0 }.first)
        #expect(call.duration == .seconds(3))
        #expect((call.sentBytes, call.sentMessages) == (10, 2))
        #expect((call.receivedBytes, call.receivedMessages) == (9, 1))
        #expect(call.attempts == 2)
        #expect((call.retries.transparent, call.retries.retries, call.retries.hedges) == (1, 0, 0))
    }

    @Test func `the tries of a call are kept with their ends when the first one failed`() async throws {
        script.expect { [clock] _ in clock.advance(by: .seconds(1)) }.fail(.unavailable, progress: .notSent)
        script.expect { [clock] _ in clock.advance(by: .seconds(2)) }.reply()
        try await channel().ask()
        let call = try #require(records.calls.withLock { $0 }.first)
        #expect(call.tries.map(\.status.code) == [.unavailable, .ok])
        #expect(call.tries.map(\.duration) == [.seconds(1), .seconds(2)])
    }

    @Test func `a call whose first try went well keeps none`() async throws {
        script.expect().reply()
        try await channel().ask()
        let call = try #require(records.calls.withLock { $0 }.first)
        #expect(call.tries.isEmpty)
    }

    @Test func `a try of a streamed call lasts until its stream ends`() async throws {
        let responses = ScriptedResponses()
        script.expect().reply(responses)
        _ = try await channel().start(.serverStreaming, .one(MessageBytes([])))
        #expect(records.attempts.withLock { $0.isEmpty })
        clock.advance(by: .seconds(5))
        responses.end()
        #expect(records.attempts.withLock { $0.map(\.duration) } == [.seconds(5)])
        #expect(records.calls.withLock { $0.map(\.duration) } == [.seconds(5)])
    }

    @Test func `the first status that rules a call stays`() {
        let record = CallRecord(CallRecord.Watch(records, clock: clock))
        record.rule(Status(.deadlineExceeded, "late"))
        record.rule(Status(.cancelled, "gone"))
        #expect(record.verdict?.code == .deadlineExceeded)
    }

    /// A response half whose call is measured.
    private final class MeasuredResponder: ServerResponder {
        let record: CallRecord?

        init(_ record: CallRecord?) { self.record = record }

        func setInitialMetadata(_ metadata: Metadata) {}
        func sendInitialMetadata() {}
        func setTrailers(_ metadata: Metadata) {}
        func write(_ message: MessageBytes) async throws(RPCError) {}
    }

    /// Keeps how a server's calls ended.
    private final class ServerEnds: Observer {
        let all = Mutex<[(code: Status.Code, duration: Duration?)]>([])

        func serverCallEnded(_ call: ServerCall, error: RPCError?) {
            all.withLock { $0.append((error?.code ?? .ok, call.record?.duration)) }
        }
    }

    private func answer(
        _ ends: ServerEnds, framed: (MessageBytes) throws -> MessageBytes = { $0 },
        _ handler: @escaping @Sendable (CallRecord?) throws -> Void
    ) async throws {
        let server = try Server([], observer: ends, clock: clock)
        let route = Route(.unary) { call in
            try handler(call.record)
            return ServerResponse(message: MessageBytes([1]))
        }
        let call = ServerCall(
            method: .unary, metadata: Metadata(), deadline: .none, peer: .memory("client"),
            request: .one(MessageBytes([])), responder: MeasuredResponder(server.watch.map { CallRecord($0) }))
        _ = try await server.answer(call, route, framed: framed)
    }

    @Test func `a server's observer hears what the client was told, whatever the handler made of it`() async throws {
        let ends = ServerEnds()
        try await answer(ends) { [clock] _ in clock.advance(by: .seconds(2)) }
        try await answer(ends) { $0?.rule(Status(.deadlineExceeded, "late")) }
        await #expect(throws: RPCError.self) {
            try await answer(ends) { record in
                record?.rule(Status(.deadlineExceeded, "late"))
                throw CancellationError()
            }
        }
        #expect(ends.all.withLock { $0.map(\.code) } == [.ok, .deadlineExceeded, .deadlineExceeded])
        #expect(ends.all.withLock { $0.first?.duration } == .seconds(2))
    }

    @Test func `an answer that cannot be framed is an error of the call`() async throws {
        let ends = ServerEnds()
        await #expect(throws: RPCError.self) {
            try await answer(ends, framed: { _ in throw RPCError(.internal, "no") }, { _ in })
        }
        #expect(ends.all.withLock { $0.map(\.code) } == [.internal])
    }

    @Test func `an observer that an interceptor puts in hears of tries and does not measure alone`() async throws {
        struct Listening: ClientInterceptor {
            let records: Records
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                var call = call
                call.observer = records
                return try await next(call)
            }
        }
        let inner = Records()
        script.otherwise.reply()
        try await Channel("users", interceptors: [Listening(records: inner)], transport: script).ask()
        #expect(inner.attempts.withLock { $0.isEmpty })
        let watched = Channel(
            "users", interceptors: [Listening(records: inner)], transport: script, observer: records, clock: clock)
        try await watched.ask()
        #expect(inner.attempts.withLock { $0.count } == 1)
        #expect(records.attempts.withLock { $0.isEmpty })
        #expect(records.calls.withLock { $0.map(\.attempts) } == [1])
    }
}
