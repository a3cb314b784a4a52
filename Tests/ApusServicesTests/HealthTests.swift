// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import ApusTransport
import Testing

@testable import ApusServices

@Suite(.timeLimit(.minutes(10))) struct HealthTests {
    private let health = Health()

    private func state(of service: String, _ pair: ServedPair) async throws -> GRPCHealthCheckResponse.ServingStatus {
        try await GRPCHealth.Client(pair.channel).check(GRPCHealthCheckRequest(service: service)).status
    }

    @Test func `the server as a whole serves from the start`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in #expect(try await state(of: "", pair) == .serving) }
    }

    @Test func `a check tells what was set last`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            health.set("users", .serving)
            #expect(try await state(of: "users", pair) == .serving)
            health.set("users", .notServing)
            #expect(try await state(of: "users", pair) == .notServing)
            health.set("users", .unknown)
            #expect(try await state(of: "users", pair) == .unknown)
        }
    }

    @Test func `a check of an unknown service is NOT_FOUND`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            let error = await #expect(throws: RPCError.self) { try await state(of: "nobody", pair) }
            #expect(error?.status == Status(.notFound, "the health of nobody is not known"))
        }
    }

    @Test func `services can be told as serving all at once`() async throws {
        let all = Health(serving: [health])
        try await ServedPair.run([all]) { (pair) async throws in
            #expect(try await state(of: "grpc.health.v1.Health", pair) == .serving)
        }
    }

    @Test func `a list has every service that was set`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            health.set("users", .notServing)
            let list = try await GRPCHealth.Client(pair.channel).list(GRPCHealthListRequest())
            #expect(list.statuses.mapValues(\.status) == ["": .serving, "users": .notServing])
        }
    }

    @Test func `a list of more than a hundred is RESOURCE_EXHAUSTED`() async throws {
        for number in 1..<100 { health.set("service \(number)", .serving) }
        try await ServedPair.run([health]) { (pair) async throws in
            let client = GRPCHealth.Client(pair.channel)
            #expect(try await client.list(GRPCHealthListRequest()).statuses.count == 100)
            health.set("one more", .serving)
            let error = await #expect(throws: RPCError.self) { try await client.list(GRPCHealthListRequest()) }
            #expect(error?.code == .resourceExhausted)
        }
    }

    @Test func `a watch tells the present state and each change`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            health.set("users", .serving)
            let watch = try await pair.watch("users")
            #expect(try await watch.next()?.status == .serving)
            health.set("users", .notServing)
            #expect(try await watch.next()?.status == .notServing)
            health.set("users", .serving)
            #expect(try await watch.next()?.status == .serving)
        }
    }

    @Test func `a watch of an unknown service waits for it`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            let watch = try await pair.watch("later")
            #expect(try await watch.next()?.status == .serviceUnknown)
            health.set("other", .serving)
            health.set("later", .serving)
            #expect(try await watch.next()?.status == .serving)
        }
    }

    @Test func `what was set again without a change is not told`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            let watch = try await pair.watch("")
            #expect(try await watch.next()?.status == .serving)
            health.set("", .serving)
            health.set("", .notServing)
            #expect(try await watch.next()?.status == .notServing)
        }
    }

    @Test func `a watcher that is gone is forgotten`() async throws {
        try await ServedPair.run([health]) { (pair) async throws in
            let watch = try await pair.watch("")
            #expect(try await watch.next()?.status == .serving)
            watch.cancel()
            await pair.waitForHandlers()
        }
        #expect(health.watches == 0)
    }

    @Test func `a graceful stop tells watchers that nothing serves, and waits for none of them`() async throws {
        health.set("users", .serving)
        try await ServedPair.run([health]) { (pair) async throws in
            let watch = try await pair.watch("users")
            #expect(try await watch.next()?.status == .serving)
            // A grace that the test's time limit does not allow to be used.
            await pair.running.stop(grace: .seconds(3600))
            #expect(try await watch.next()?.status == .notServing)
            let error = await #expect(throws: RPCError.self) { try await watch.next() }
            #expect(error?.code == .unavailable)
        }
        #expect(health.watches == 0)
    }

    @Test func `after a stop nothing is told as serving again`() async throws {
        health.stop()
        health.set("", .serving)
        health.set("users", .serving)
        try await ServedPair.run([health]) { (pair) async throws in
            #expect(try await state(of: "", pair) == .notServing)
            let watch = try await pair.watch("")
            #expect(try await watch.next()?.status == .notServing)
            let error = await #expect(throws: RPCError.self) { try await watch.next() }
            #expect(error?.code == .unavailable)
        }
    }
}
