// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Synchronization
import Testing

struct RetryTests {
    let clock = ManualClock()
    let script = ScriptedTransport()
    let observer = RecordingObserver()
    let even = RetrySchedule.exponential(maxAttempts: 4, initial: .seconds(1), multiplier: 1, jitter: 1...1)
    let atOnce = RetrySchedule.exponential(maxAttempts: 4, initial: .zero)

    private func channel(_ interceptors: any ClientInterceptor...) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, observer: observer, clock: clock)
    }

    @Test func `a call that succeeds is made once and looks as it came`() async throws {
        script.expect { call in
            #expect(call.attempt == 1)
            #expect(call.metadata.isEmpty)
            #expect(call.avoided.isEmpty)
        }.reply("hello")
        #expect(try await channel(Retry(even, clock: clock)).ask() == "hello")
    }

    @Test func `a retry waits, counts, and tells the server of the tries before`() async throws {
        script.expect().fail(.unavailable)
        script.expect().fail(.unavailable)
        script.expect().reply("third")
        let channel = channel(Retry(even, clock: clock))
        async let answer = channel.ask()
        for _ in 0..<2 {
            await clock.waitForSleepers()
            clock.advance(by: .milliseconds(999))
            #expect(clock.sleepers == 1)
            clock.advance(by: .milliseconds(1))
        }
        #expect(try await answer == "third")
        #expect(script.calls.map(\.attempt) == [1, 2, 3])
        #expect(script.calls.map { $0.metadata["grpc-previous-rpc-attempts"] } == [nil, "1", "2"])
        #expect(observer.delays == [.seconds(1), .seconds(1)])
        #expect(observer.retriedAttempts == [1, 2])
    }

    @Test func `the last error says which attempt it was`() async throws {
        script.otherwise.fail(.unavailable)
        let channel = channel(Retry(atOnce, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.notes == ["attempt 4 of 4"])
        #expect(script.calls.count == 4)
    }

    @Test func `an error that is not retried passes as it is`() async throws {
        script.expect().fail(.notFound)
        let channel = channel(Retry(even, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.description == "NOT_FOUND: scripted")
    }

    @Test func `a retry that would come too late fails at once and says how much time was spent`() async throws {
        script.expect().run { [clock] _ in
            clock.advance(by: .milliseconds(1240))
            throw RPCError(.unavailable, "slow")
        }
        let channel = channel(Deadline(.seconds(2), clock: clock), Retry(even, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .unavailable)
        let notes = ["attempt 1 of 4", "the next try would come after the deadline", "1.2 of 2.0 s spent"]
        #expect(error?.notes == notes)
        #expect(clock.sleepers == 0)
    }

    @Test func `a cancelled call stops waiting for its retry`() async throws {
        script.expect().fail(.unavailable)
        let channel = channel(Retry(even, clock: clock))
        let call = Task { try await channel.ask() }
        await clock.waitForSleepers()
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        #expect(error?.cause.contains("UNAVAILABLE") == true)
        #expect(script.calls.count == 1)
        #expect(clock.sleepers == 0)
    }

    @Test func `a call that is cancelled during a try is not tried again`() async throws {
        script.expect().run { _ in
            withUnsafeCurrentTask { $0?.cancel() }
            throw RPCError(.unavailable, "broken")
        }
        let channel = channel(Retry(atOnce, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await Task { try await channel.ask() }.value }
        #expect(error?.code == .cancelled && error?.cause.contains("broken") == true)
        #expect(script.calls.count == 1)
    }

    @Test func `a try's own answer stands though the call is cancelled meanwhile`() async throws {
        script.expect().run { _ in
            withUnsafeCurrentTask { $0?.cancel() }
            throw RPCError(.invalidArgument, "not so")
        }
        let channel = channel(Retry(atOnce, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await Task { try await channel.ask() }.value }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `transparent retries are not counted and go out at once`() async throws {
        script.expect().fail(.unavailable, progress: .notSent)
        script.expect().fail(.unavailable, progress: .notSent)
        script.expect().fail(.unavailable, progress: .refused)
        script.expect { #expect($0.attempt == 1) }.reply("done")
        #expect(try await channel(Retry(even, clock: clock)).ask() == "done")
        #expect(script.calls.allSatisfy { $0.metadata["grpc-previous-rpc-attempts"] == nil })
        #expect(clock.sleepers == 0)
    }

    @Test func `a server that asks for no retry gets none`() async throws {
        script.expect().fail(.unavailable, metadata: ["grpc-retry-pushback-ms": "-1"])
        let channel = channel(Retry(atOnce, clock: clock))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.notes == ["attempt 1 of 4", "the server asked for no retry"])
    }

    @Test func `a retry goes to another endpoint while there is one`() async throws {
        for seed in 0..<50 {
            let script = ScriptedTransport()
            script.expect().fail(.unavailable)
            script.expect().fail(.unavailable)
            script.expect().fail(.unavailable)
            script.expect().reply()
            let channel = Channel(
                "users",
                interceptors: [
                    Retry(atOnce, clock: clock), FixedCandidates(ports: 1..<4),
                    RandomBalancer(random: SplitMixRandom(seed: UInt64(seed))),
                ], transport: script, clock: clock)
            try await channel.ask()
            let ports = script.calls.compactMap { $0.endpoint?.endpoint }
            #expect(Set(ports.prefix(3)).count == 3)
            #expect(script.calls.map(\.avoided.count) == [0, 1, 2, 3])
            #expect(script.calls.allSatisfy { $0.endpoint?.callsInFlight == 0 })
        }
    }

    @Test func `the final error names the peer and the attempts`() async throws {
        script.otherwise.fail(.unavailable)
        let channel = channel(
            Retry(.exponential(maxAttempts: 2, initial: .zero), clock: clock), PinnedEndpoint(.local(50051)))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.description == "UNAVAILABLE: scripted (peer 127.0.0.1:50051, attempt 2 of 2)")
    }

    @Test func `a throttle stops retries for all calls while most of them fail`() async throws {
        script.otherwise.fail(.unavailable)
        let throttle = RetryThrottle(maxTokens: 4, tokenRatio: 1)
        let channel = channel(Retry(atOnce, throttle: throttle, clock: clock))
        for _ in 0..<3 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        // Two failures empty half of four tokens: the first call has two tries, the others one each.
        #expect(script.calls.count == 4)
        script.otherwise.reply()
        for _ in 0..<4 { try await channel.ask() }
        script.expect().fail(.unavailable)
        try await channel.ask()
        #expect(script.calls.last?.attempt == 2)
    }

    @Test func `a channel with a retry leaves transparent retry to it alone`() async throws {
        script.otherwise.fail(.unavailable, progress: .refused)
        let channel = channel(Retry(.exponential(maxAttempts: 1), clock: clock))
        await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(script.calls.count == 2)
    }

    @Test func `no try starts after the total time`() async throws {
        script.otherwise.fail(.unavailable)
        let channel = channel(Retry(even, total: .milliseconds(2500), clock: clock))
        let call = Task { try await channel.ask() }
        for _ in 0..<2 {
            await clock.waitForSleepers()
            clock.advance(by: .seconds(1))
        }
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.notes == ["attempt 3 of 4", "the total time for tries is spent"])
        #expect(script.calls.count == 3)
    }

    @Test func `a try that takes longer than its own time is made again, whatever the codes are`() async throws {
        let end = clock.now.advanced(by: .seconds(1))
        script.expect { #expect($0.deadline.instant == end) }.run { [clock] _ in
            clock.advance(by: .seconds(1))
            throw RPCError(.deadlineExceeded, "scripted")
        }
        script.expect { #expect($0.deadline.instant == end.advanced(by: .seconds(1))) }.reply("second")
        let channel = channel(Deadline(.seconds(9), clock: clock), Retry(atOnce, perTry: .seconds(1), clock: clock))
        #expect(try await channel.ask() == "second")
    }

    @Test func `a call past its whole deadline is not made again`() async throws {
        script.otherwise.run { [clock] call in
            clock.advance(by: .seconds(1))
            throw RPCError(.deadlineExceeded, "scripted")
        }
        let channel = channel(Deadline(.seconds(2), clock: clock), Retry(atOnce, perTry: .seconds(1), clock: clock))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .deadlineExceeded)
        #expect(script.calls.count == 2)
    }

    @Test func `a stream that has no head in a try's time is asked for again, and then may take long`() async throws {
        script.expect { #expect($0.deadline.isNone) }.run { [clock] _ in
            try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)))
            throw RPCError(.internal, "woken")
        }
        let stream = ScriptedResponses()
        script.expect().reply(stream)
        let channel = channel(Retry(atOnce, perTry: .seconds(1), clock: clock))
        async let started = channel.start(.serverStreaming, .one(MessageBytes("".utf8)))
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(1))
        guard case .stream(let source) = try await started.body else {
            Issue.record("no stream")
            return
        }
        clock.advance(by: .seconds(60))
        try await stream.send("late")
        #expect(try await source.next() == MessageBytes("late".utf8))
        #expect(script.calls.count == 2)
    }

    @Test func `over real connections each try goes to another server and says how many there were`() async throws {
        let tries = Mutex<[String]>([])
        let handler: Served.Handler = { call in
            let count = tries.withLock { tries in
                tries.append(call.metadata["grpc-previous-rpc-attempts"] ?? "first")
                return tries.count
            }
            guard count > 2 else { throw RPCError(.unavailable, "try \(count)") }
            return "third"
        }
        let servers = Mutex<Set<String>>([])
        let handlers = (0..<3).map { number -> Served.Handler in
            { call in
                _ = servers.withLock { $0.insert("\(number)") }
                return try await handler(call)
            }
        }
        try await Served.run(handlers, client: [Retry(atOnce), Served.endpoints(3), RandomBalancer()]) { channel in
            let answer = try await channel.ask()
            #expect(answer == "third")
        }
        #expect(tries.withLock { $0 } == ["first", "1", "2"])
        #expect(servers.withLock { $0.count } == 3)
    }

    @Test func `over real connections a server that hangs is left when the try's time is over`() async throws {
        let gate = Gate()
        let hang: Served.Handler = { _ in
            await gate.wait()
            return "late"
        }
        // As many tries as a slow machine may need at the other server.
        let retry = Retry(.exponential(maxAttempts: 50, initial: .zero), perTry: .seconds(2))
        // In the order of the list, so that the one that hangs is asked first.
        try await Served.run([hang, { _ in "good" }], client: [retry, Served.endpoints(2), PickFirst()]) { channel in
            let answer = try await channel.ask()
            #expect(answer == "good")
            gate.open()
        }
    }

    @Test func `over real connections retries stop when the budget is spent`() async throws {
        let count = Count()
        let budget = RetryBudget(share: 0.2, perSecond: 0.001)
        let bad: Served.Handler = { _ in
            count.add()
            throw RPCError(.unavailable, "down")
        }
        let retry = Retry(.exponential(maxAttempts: 4, initial: .zero), budget: budget)
        try await Served.run([bad], client: [retry, Served.endpoints(1), RandomBalancer()]) { channel in
            for _ in 0..<100 { _ = try? await channel.ask() }
        }
        // A fifth more, and what a budget has to begin with.
        #expect(count.value > 100 && count.value <= 140)
    }

    @Test func `over real connections a server that forbids a retry has the last word`() async throws {
        let count = Count()
        let forbid: Served.Handler = { _ in
            count.add()
            throw RPCError(.unavailable, "stay away", metadata: ["grpc-retry-pushback-ms": "-1"])
        }
        try await Served.run([forbid], client: [Retry(atOnce), Served.endpoints(1), RandomBalancer()]) { channel in
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.message.contains("stay away") == true)
        }
        #expect(count.value == 1)
    }
}
