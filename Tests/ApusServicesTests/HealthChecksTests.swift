// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import ApusTransport
import Synchronization
import Testing

@testable import ApusServices

struct HealthCourseTests {
    @Test func `an endpoint is healthy until it says otherwise, and again when it does`() {
        var course = HealthCourse()
        #expect(!course.isEjected)
        #expect(course.told(isServing: true) == nil)
        #expect(course.told(isServing: false) == .eject)
        #expect(course.told(isServing: false) == nil)
        #expect(course.told(isServing: true) == .readmit)
        #expect(course.left() == nil)
    }

    @Test func `a watch that is lost ejects and begins again after a second, and later each time`() {
        var course = HealthCourse()
        func wait(_ course: inout HealthCourse) -> Double {
            (course.ended(isUnimplemented: false, random: 0.5).wait ?? .zero) / .seconds(1)
        }
        #expect(course.ended(isUnimplemented: false, random: 0.5).change == .eject)
        var waits: [Double] = []
        for _ in 0..<20 { waits.append(wait(&course)) }
        #expect(abs(waits[0] - 1.6) < 1e-6 && abs(waits[1] - 2.56) < 1e-6 && abs(waits[19] - 120) < 1e-6)
        // An answer and an end, again and again: never at once.
        for _ in 0..<5 {
            #expect(course.told(isServing: true) == .readmit)
            #expect(abs(wait(&course) - 1) < 1e-6)
        }
    }

    @Test func `an endpoint without a health service is healthy for good`() {
        var course = HealthCourse()
        let (change, wait) = course.ended(isUnimplemented: true, random: 0)
        #expect(change == nil && wait == nil && course.isForGood)
        _ = course.told(isServing: false)
        #expect(course.ended(isUnimplemented: true, random: 0).change == .readmit)
    }

    @Test func `over ten thousand random steps ejections and readmissions take turns`() {
        let random = SplitMixRandom(seed: 5)
        var course = HealthCourse()
        var isEjected = false
        for _ in 0..<10_000 {
            let change: HealthCourse.Change?
            switch random.index(below: 5) {
            case 0: change = course.told(isServing: true)
            case 1: change = course.told(isServing: false)
            case 2: change = course.left()
            case 3: change = course.ended(isUnimplemented: true, random: random.unit()).change
            default:
                let end = course.ended(isUnimplemented: false, random: random.unit())
                #expect(end.wait.map { (.milliseconds(800) ... .seconds(145)).contains($0) } == true)
                change = end.change
            }
            if let change {
                #expect((change == .eject) == !isEjected)
                isEjected.toggle()
            }
            #expect(course.isEjected == isEjected)
        }
    }
}

@Suite(.timeLimit(.minutes(10)))
struct HealthChecksTests {
    /// Counts the watches that begin, and those that have ended.
    private final class Watches: ClientInterceptor {
        private let counts = Mutex((begun: 0, ended: 0))
        var begun: Int { counts.withLock { $0.begun } }
        var ended: Int { counts.withLock { $0.ended } }

        func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            guard call.method.service == "grpc.health.v1.Health" else { return try await next(call) }
            counts.withLock { $0.begun += 1 }
            do {
                let response = try await next(call)
                response.onEnd { _ in self.counts.withLock { $0.ended += 1 } }
                return response
            } catch {
                counts.withLock { $0.ended += 1 }
                throw error
            }
        }
    }

    private struct Named: Service {
        let name: String
        var routes: [Route] {
            [Route(.unary) { [name] _ in ServerResponse(message: MessageBytes(name.utf8)) }]
        }
    }

    private func eventually(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    private func answers(_ channel: Channel) async throws -> Set<String> {
        var answers: Set<String> = []
        for _ in 0..<60 { answers.insert(try await channel.ask()) }
        return answers
    }

    @Test(arguments: Way.allCases)
    func `calls leave an endpoint that says that it does not serve, and return when it does`(_ way: Way) async throws {
        let health = [Health(), Health()]
        let (running, candidates, transport) = try way.start(
            (0..<2).map { try Server([Named(name: "\($0)"), health[$0]]) })
        let channel = Channel(
            "s", interceptors: [FixedCandidates(candidates), RandomBalancer(), HealthChecks(service: "app")],
            transport: transport)
        for each in health { each.set("app", .serving) }
        #expect(try await answers(channel) == ["0", "1"])
        await eventually { health.allSatisfy { $0.watches == 1 } }
        health[0].set("app", .notServing)
        await eventually { candidates.handles[0].isEjected }
        #expect(try await answers(channel) == ["1"])
        // When nobody serves, calls are sent nevertheless.
        health[1].set("app", .notServing)
        await eventually { candidates.handles[1].isEjected }
        #expect(try await !answers(channel).isEmpty)
        for each in health { each.set("app", .serving) }
        await eventually { !candidates.handles.contains { $0.isEjected } }
        #expect(try await answers(channel) == ["0", "1"])
        channel.close()
        for each in running { await each.stop(grace: .seconds(10)) }
        #expect(running.allSatisfy { $0.counts.handlers == 0 && $0.counts.connections == 0 })
        await eventually { !candidates.handles.contains { $0.isEjected } }
    }

    @Test func `a server without a health service is called as ever`() async throws {
        let network = InMemoryNetwork()
        let watches = Watches()
        let running = try network.start(Server([Named(name: "plain")]), as: "server-0")
        let candidates = Candidates([Endpoint(.memory("server-0"))])
        let channel = Channel(
            "s", interceptors: [FixedCandidates(candidates), RandomBalancer(), HealthChecks(), watches],
            transport: network.transport())
        #expect(try await answers(channel) == ["plain"])
        await eventually { watches.ended == 1 }
        #expect(try await answers(channel) == ["plain"])
        #expect(watches.begun == 1)
        #expect(!candidates.handles[0].isEjected)
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.handlers == 0)
    }

    @Test func `a watch that ends is begun again after a wait, and given up with the channel`() async throws {
        let (network, health, watches, clock) = (InMemoryNetwork(), Health(), Watches(), ManualClock())
        let running = try network.start(Server([Named(name: "0"), health]), as: "server-0")
        let handle = EndpointHandle(Endpoint(.memory("server-0")))
        let checks = HealthChecks(random: SplitMixRandom(seed: 1), clock: clock)
        let channel = Channel(
            "s",
            interceptors: [FixedCandidates(Candidates(handles: [handle])), RandomBalancer(), checks, watches],
            transport: network.transport())
        try await channel.ask()
        await eventually { health.watches == 1 }
        // From now on each watch is told NOT_SERVING and ends.
        health.stop()
        for round in 1...3 {
            await clock.waitForSleepers(1)
            #expect(watches.begun == round && handle.isEjected)
            clock.advance(by: .seconds(1))
            if watches.begun == round, clock.sleepers > 0 { clock.advance(by: .seconds(1)) }
            await eventually {
                if clock.sleepers > 0, watches.begun == round { clock.advance(by: .milliseconds(100)) }
                return watches.begun == round + 1
            }
        }
        await clock.waitForSleepers(1)
        channel.close()
        clock.advance(by: .seconds(1))
        await eventually { !handle.isEjected }
        await running.stop(grace: .seconds(10))
    }

    @Test func `an endpoint that leaves is watched no more`() async throws {
        let network = InMemoryNetwork()
        let health = Health()
        let running = try network.start(Server([Named(name: "0"), health]), as: "server-0")
        let candidates = Candidates([Endpoint(.memory("server-0"))])
        let channel = Channel(
            "s", interceptors: [FixedCandidates(candidates), RandomBalancer(), HealthChecks()],
            transport: network.transport())
        try await channel.ask()
        await eventually { health.watches == 1 }
        candidates.handles[0].retire()
        await eventually { health.watches == 0 }
        channel.close()
        await running.stop(grace: .seconds(10))
    }
}
