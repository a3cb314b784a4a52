// SPDX-License-Identifier: Apache-2.0

import Apus
import Logging
import ServiceLifecycle
import Testing

/// A server as a service of a `ServiceGroup`.
@Suite(.timeLimit(.minutes(10))) struct ServerServiceTests {
    /// Keeps calls until it is told to let them go.
    private struct Holding: ServerInterceptor {
        let entered = AsyncStream<Void>.makeStream()
        let leave = AsyncStream<Void>.makeStream()

        func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
            entered.continuation.finish()
            for await _ in leave.stream {}
            try Task.checkCancellation()
            return try await next(call)
        }
    }

    private let holding = Holding()
    private let listening = AsyncStream<RunningServer>.makeStream()
    private let stopping = AsyncStream<Void>.makeStream()

    private func group(_ address: Endpoint.Address = .host("127.0.0.1", port: 0)) throws -> ServiceGroup {
        let server = ServerService(
            try Server([Health()], interceptors: [holding]), listeningOn: [.address(address)],
            started: { [listening] in listening.continuation.yield($0) },
            stopping: { [stopping] in stopping.continuation.finish() })
        return ServiceGroup(services: [server], logger: Logger(label: "test"))
    }

    /// Runs a group with a call on its way, does something to it, and tells the call's outcome.
    private func outcome(
        _ end: (ServiceGroup, Task<Void, any Error>) async -> Void
    ) async throws -> (answer: String, counts: RunningServer.Counts) {
        let group = try group()
        let run = Task { try await group.run() }
        var started = listening.stream.makeAsyncIterator()
        let running = try #require(await started.next())
        let channel = Channel(to: running.addresses[0])
        let answer = Task {
            do throws(RPCError) {
                return "\(try await GRPCHealth.Client(channel).check(GRPCHealthCheckRequest()).status)"
            } catch {
                return "\(error.code)"
            }
        }
        for await _ in holding.entered.stream {}
        await end(group, run)
        let text = await answer.value
        _ = await run.result
        channel.close()
        return (text, running.counts)
    }

    @Test func `a graceful shutdown lets calls in flight finish and ends the service`() async throws {
        let (answer, counts) = try await outcome { group, _ in
            await group.triggerGracefulShutdown()
            for await _ in stopping.stream {}
            holding.leave.continuation.finish()
        }
        #expect(answer != "UNAVAILABLE")
        #expect(counts.connections == 0 && counts.handlers == 0 && counts.calls == 1)
    }

    @Test func `a cancelled group ends its calls at once`() async throws {
        let (answer, counts) = try await outcome { _, run in
            run.cancel()
            for await _ in stopping.stream {}
        }
        #expect(answer == "UNAVAILABLE")
        #expect(counts.connections == 0)
        holding.leave.continuation.finish()
    }

    @Test func `a server that cannot listen fails its group`() async throws {
        let group = try group(.host("192.0.2.1", port: 0))
        let error = await #expect(throws: RPCError.self) { try await group.run() }
        #expect(error?.message == "cannot listen on 192.0.2.1:0: address not available")
    }
}
