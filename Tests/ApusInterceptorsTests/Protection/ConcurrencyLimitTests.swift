// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct ConcurrencyLimitTests {
    let clock = ManualClock()

    private func hold(_ limit: any ServerInterceptor, _ gate: Gate, _ call: ServerCall = .made()) -> Task<
        String, any Error
    > {
        Task {
            try await call.answered(by: [limit]) { call in
                await gate.wait()
                return call.metadata["x-priority"] ?? ""
            }
        }
    }

    private func reach(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test func `calls above the limit wait for a place, the most important first`() async throws {
        let limit = ConcurrencyLimit(.fixed(1), queue: 9, priorityKey: "x-priority", clock: clock)
        let (first, second, third) = (Gate(), Gate(), Gate())
        let one = hold(limit, first)
        await reach { limit.running == 1 }
        let low = hold(limit, third, .made(["x-priority": "1"]))
        await reach { limit.waiting == 1 }
        let high = hold(limit, second, .made(["x-priority": "8"]))
        await reach { limit.waiting == 2 }
        first.open()
        _ = try await one.value
        second.open()
        #expect(try await high.value == "8")
        third.open()
        #expect(try await low.value == "1")
        #expect(limit.running == 0 && limit.waiting == 0)
        #expect(clock.sleepers == 0)
    }

    @Test func `a full queue refuses at the headers what is not more important`() async throws {
        let limit = ConcurrencyLimit(.fixed(1), queue: 1, priorityKey: "x-priority", name: "users", clock: clock)
        let gate = Gate()
        func head(_ priority: String) -> ServerCallHead {
            ServerCallHead(method: .unary, metadata: ["x-priority": priority], peer: .memory("client"))
        }
        try limit.admit(head("0"))
        let one = hold(limit, gate)
        await reach { limit.running == 1 }
        let low = hold(limit, gate, .made(["x-priority": "1"]))
        await reach { limit.waiting == 1 }
        let error = #expect(throws: RPCError.self) { try limit.admit(head("1")) }
        #expect(error?.description == "RESOURCE_EXHAUSTED: concurrency limit 'users': its queue is full")
        try limit.admit(head("2"))
        let high = hold(limit, gate, .made(["x-priority": "2"]))
        await #expect(throws: RPCError.self) { try await low.value }
        gate.open()
        _ = try await (one.value, high.value)
    }

    @Test func `a call waits no longer than it may, than its deadline, or than its caller does`() async throws {
        let limit = ConcurrencyLimit(.fixed(1), queue: 9, longestWait: .seconds(2), clock: clock)
        let gate = Gate()
        let one = hold(limit, gate)
        await reach { limit.running == 1 }
        let late = hold(limit, gate)
        await clock.waitForSleepers()
        clock.advance(by: .seconds(2))
        let error = await #expect(throws: RPCError.self) { try await late.value }
        #expect(error?.message == "concurrency limit 'calls': waited for 2.0 s without a place")
        let due = CallDeadline(at: clock.now.advanced(by: .seconds(1)))
        let overdue = hold(limit, gate, .inProgress(deadline: due))
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        let deadline = await #expect(throws: RPCError.self) { try await overdue.value }
        #expect(deadline?.code == .deadlineExceeded)
        let cancelled = hold(limit, gate)
        await reach { limit.waiting == 1 }
        cancelled.cancel()
        let end = await #expect(throws: RPCError.self) { try await cancelled.value }
        #expect(end?.code == .cancelled)
        #expect(limit.waiting == 0)
        gate.open()
        _ = try await one.value
        #expect(limit.running == 0)
    }

    @Test func `a call that has no time to wait waits for nobody`() async throws {
        let limit = ConcurrencyLimit(.fixed(1), queue: 9, longestWait: .zero)
        let gate = Gate()
        let one = hold(limit, gate)
        await reach { limit.running == 1 }
        for _ in 0..<200 {
            let late = hold(limit, gate)
            let error = await #expect(throws: RPCError.self) { try await late.value }
            #expect(error?.code == .resourceExhausted)
        }
        gate.open()
        _ = try await one.value
        #expect(limit.running == 0 && limit.waiting == 0)
    }

    @Test func `many calls at once never run in greater number than the limit`() async throws {
        let limit = ConcurrencyLimit(.fixed(3), queue: 1000, longestWait: .seconds(3600))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    let answer = try? await ServerCall.made().answered(by: [limit]) { _ in
                        #expect(limit.running <= 3)
                        await Task.yield()
                        return "done"
                    }
                    #expect(answer == "done")
                }
            }
        }
        #expect(limit.running == 0 && limit.waiting == 0)
    }

    @Test func `an adaptive limit follows the calls that pass it`() async throws {
        let limit = ConcurrencyLimit(.gradient(initial: 20), clock: clock)
        for _ in 0..<100 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let gate = Gate()
                for _ in 0..<20 { group.addTask { _ = try await hold(limit, gate).value } }
                await reach { limit.running == 20 }
                clock.advance(by: .milliseconds(10))
                gate.open()
                try await group.waitForAll()
            }
        }
        #expect(limit.limit > 20)
    }

    @Test func `a bulkhead lets so many of a channel's calls run and refuses the others`() async throws {
        let script = ScriptedTransport()
        let bulkhead = Bulkhead(1, name: "users", clock: clock)
        let channel = Channel("users", interceptors: [bulkhead], transport: script, clock: clock)
        let stream = ScriptedResponses()
        script.expect().reply(stream)
        script.otherwise.reply("after")
        let response = try await channel.start(.serverStreaming, .one(MessageBytes([])))
        #expect(bulkhead.running == 1)
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .resourceExhausted)
        // The stream holds its place until its end.
        stream.end()
        #expect(try await channel.ask() == "after")
        #expect(bulkhead.running == 0)
        response.abandon()
    }

    @Test func `over real connections calls above limit and queue end at their headers`() async throws {
        let limit = ConcurrencyLimit(.fixed(1), queue: 0)
        let (gate, entered, counter) = (Gate(), Gate(), CallCounter())
        try await Served.run(
            [
                { _ in
                    entered.open()
                    await gate.wait()
                    return "held"
                }
            ], client: [Served.endpoints(1), RandomBalancer()], server: [counter, limit]
        ) { channel in
            let first = Task { try await channel.ask() }
            await entered.wait()
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .resourceExhausted)
            #expect(counter.count == 1)
            gate.open()
            let answer = try await first.value
            #expect(answer == "held")
        }
    }

    @Test func `over real connections a bulkhead keeps calls from a server that hangs`() async throws {
        let (gate, entered, asked) = (Gate(), Gate(), Count())
        let bulkhead = Bulkhead(1, name: "users")
        try await Served.run(
            [
                { _ in
                    asked.add()
                    entered.open()
                    await gate.wait()
                    return "held"
                }
            ], client: [bulkhead, Served.endpoints(1), RandomBalancer()]
        ) { channel in
            let first = Task { try await channel.ask() }
            await entered.wait()
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .resourceExhausted)
            #expect(asked.value == 1)
            gate.open()
            let answers = try await [first.value, channel.ask()]
            #expect(answers == ["held", "held"])
            #expect(bulkhead.running == 0)
        }
    }
}
