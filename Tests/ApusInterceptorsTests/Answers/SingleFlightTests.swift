// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

struct SingleFlightTests {
    let script = ScriptedTransport()
    let clock = ManualClock()
    let flight = SingleFlight()

    private var channel: Channel { Channel("users", interceptors: [flight], transport: script, clock: clock) }

    private func reach(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    /// Answers when the gate opens.
    private func hold(_ gate: Gate, _ text: String = "shared") {
        script.expect().run { _ in
            await gate.wait()
            try Task.checkCancellation()
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes(text.utf8), trailers: Metadata()))
        }
    }

    @Test func `a thousand callers at once share one answer, and the next one asks anew`() async throws {
        let (channel, gate) = (channel, Gate())
        hold(gate)
        script.expect().reply("later")
        let calls = (0..<1000).map { _ in Task { try await channel.look("a") } }
        await reach { flight.running == 1 }
        // All have boarded before it lands, or it would be asked again.
        for _ in 0..<5000 { await Task.yield() }
        gate.open()
        var shared = 0
        for call in calls { if try await call.value == "shared" { shared += 1 } }
        #expect(shared > 900 && script.calls.count <= 2)
        #expect(flight.running == 0)
    }

    @Test func `over ten thousand random calls each gets the answer to what it asked, and nothing is left`()
        async throws
    {
        let channel = channel
        script.otherwise.run { call in
            await Task.yield()
            guard case .one(let message) = call.request else { throw RPCError(.internal, "a stream") }
            return ClientResponse(metadata: Metadata(), body: .one(message, trailers: Metadata()))
        }
        let flight = flight
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<100 {
                group.addTask {
                    let random = SplitMixRandom(seed: UInt64(caller))
                    for _ in 0..<100 {
                        let key = "\(random.index(below: 4))"
                        let call = Task { try await channel.look(key) }
                        if random.index(below: 5) == 0 { call.cancel() }
                        do {
                            let answer = try await call.value
                            #expect(answer == key)
                        } catch {
                            #expect(RPCError(wrapping: error).code == .cancelled)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        await reach { flight.running == 0 }
        #expect(script.calls.count <= 10_000)
    }

    @Test func `calls that ask something else ask alone`() async throws {
        let channel = channel
        script.otherwise.reply("answer")
        _ = try await channel.look("a")
        _ = try await channel.look("a", ["authorization": "ada"])
        try await channel.ask()
        #expect(script.calls.count == 3)
    }

    @Test func `errors are shared, too`() async throws {
        let (channel, gate) = (channel, Gate())
        script.expect().run { _ in
            await gate.wait()
            throw RPCError(.notFound, "no such user")
        }
        let calls = (0..<2).map { _ in Task { try await channel.look("a") } }
        await reach { flight.running == 1 }
        gate.open()
        let error = await #expect(throws: RPCError.self) { try await calls[0].value }
        #expect(error?.code == .notFound)
        _ = await calls[1].result
    }

    @Test func `the first caller's end does not end the call of the others, the last one's does`() async throws {
        let (channel, gate) = (channel, Gate())
        hold(gate)
        let first = Task { try await channel.look("a") }
        await reach { flight.running == 1 }
        let second = Task { try await channel.look("a") }
        for _ in 0..<1000 { await Task.yield() }
        first.cancel()
        let error = await #expect(throws: RPCError.self) { try await first.value }
        #expect(error?.code == .cancelled)
        gate.open()
        #expect(try await second.value == "shared")

        hold(Gate(), "never")
        let alone = Task { try await channel.look("b") }
        await reach { script.calls.count == 2 }
        alone.cancel()
        _ = await alone.result
        await reach { flight.running == 0 }
    }

    @Test func `a caller with less time asks alone, and so does one with more when the shared call was too late`()
        async throws
    {
        let (channel, gate) = (channel, Gate())
        script.expect().run { _ in
            await gate.wait()
            throw RPCError(.deadlineExceeded, "too late")
        }
        let first = Task { try await channel.look("a", timeout: .seconds(5)) }
        await reach { script.calls.count == 1 }
        let longer = Task { try await channel.look("a", timeout: .seconds(9)) }
        script.expect().reply("alone")
        #expect(try await channel.look("a", timeout: .seconds(1)) == "alone")
        for _ in 0..<1000 { await Task.yield() }
        script.expect().reply("alone, too")
        gate.open()
        await #expect(throws: RPCError.self) { try await first.value }
        #expect(try await longer.value == "alone, too")
    }

    @Test func `over real connections many calls reach the server once`() async throws {
        let (asked, gate) = (Count(), Gate())
        let handler: Served.Handler = { _ in
            asked.add()
            await gate.wait()
            return "shared"
        }
        let client: [any ClientInterceptor] = [
            SingleFlight(methods: ["/test.Service/Unary"]), Served.endpoints(1), RandomBalancer(),
        ]
        try await Served.run([handler], client: client) { channel in
            let calls = (0..<50).map { _ in Task { try await channel.ask() } }
            await reach { asked.value > 0 }
            for _ in 0..<1000 { await Task.yield() }
            gate.open()
            for call in calls { _ = try await call.value }
            #expect(asked.value < 10)
        }
    }
}
