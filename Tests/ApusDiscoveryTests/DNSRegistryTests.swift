// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusDiscovery

/// Answers in order; the last answer stays.
private final class Answers: Sendable {
    private let state: Mutex<(answers: [Result<[String], RPCError>], asked: [String])>

    init(_ answers: [Result<[String], RPCError>]) { state = Mutex((answers, [])) }

    var asked: [String] { state.withLock { $0.asked } }

    var lookUp: HostLookUp {
        HostLookUp { host in
            self.state.withLock { state in
                state.asked.append(host)
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
            }
        }
    }
}

private final class Told: Sendable {
    private let updates = Mutex<[String]>([])

    var all: [String] { updates.withLock { $0 } }

    func add(_ update: Result<[Endpoint], RPCError>) {
        let text =
            switch update {
            case .success(let endpoints): endpoints.map(\.description).joined(separator: " ")
            case .failure(let error): "\(error.code): \(error.message)"
            }
        updates.withLock { $0.append(text) }
    }
}

@Suite(.timeLimit(.minutes(10))) struct DNSRegistryTests {
    private let clock = ManualClock()

    @Test(arguments: [
        ("dns:///users:50051", "users", 50051), ("dns:users", "users", 443), ("users:1", "users", 1),
        ("dns:///[::1]:80", "::1", 80), ("dns:[::1]", "::1", 443), ("::1", "::1", 443),
        ("a.b.example.", "a.b.example.", 443),
    ])
    func `names are read as gRPC's naming document says`(target: String, host: String, port: Int) throws {
        let name = try DNSName(target)
        #expect(name.host == host)
        #expect(name.port == port)
    }

    @Test(arguments: [
        "", "dns:", "dns:///", "dns://users", "dns:///a:", "dns:///a:0", "dns:///a:65536", "dns:///a:x", "dns:///a:+1",
        "[::1", "[]:1", "[::1]80", "a b:1", "a/b", "dns:///\u{0}:1", String(repeating: "a", count: 256),
    ])
    func `what is no name is refused`(target: String) {
        let error = #expect(throws: RPCError.self) { try DNSName(target) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `an authority is refused in words`() {
        let error = #expect(throws: RPCError.self) { try DNSName("dns://8.8.8.8/users") }
        #expect(error?.message.contains("'8.8.8.8'") == true)
        #expect(error?.message.contains("not supported") == true)
    }

    @Test func `differences are told, turned lists are not, and a failure comes as one`() async {
        let down = RPCError(.unavailable, "down")
        let answers = Answers([
            .success(["10.0.0.2", "10.0.0.1", "10.0.0.1"]), .success(["10.0.0.1", "10.0.0.2"]), .failure(down),
            .success(["10.0.0.2", "10.0.0.1"]), .success([]), .success(["::1"]),
        ])
        let told = Told()
        let registry = DNSRegistry(every: .seconds(40), minimum: .seconds(30), lookUp: answers.lookUp, clock: clock)
        let watch = registry.watch("dns:///users:80") { told.add($0) }
        for question in 1...6 {
            await clock.waitForSleepers()
            #expect(answers.asked.count == question)
            clock.advance(by: .seconds(40))
        }
        await clock.waitForSleepers()
        #expect(
            told.all == [
                "10.0.0.1:80 10.0.0.2:80", "UNAVAILABLE: down", "UNAVAILABLE: look up users: the name has no address",
                "[::1]:80",
            ])
        #expect(Set(answers.asked) == ["users"])
        watch.cancel()
        while clock.sleepers > 0 { await Task.yield() }
    }

    @Test func `the interval is never shorter than the minimum`() async {
        let answers = Answers([.success(["10.0.0.1"])])
        let registry = DNSRegistry(every: .zero, minimum: .seconds(30), lookUp: answers.lookUp, clock: clock)
        let watch = registry.watch("users:80") { _ in }
        await clock.waitForSleepers()
        clock.advance(by: .seconds(29))
        #expect(clock.sleepers == 1)
        #expect(answers.asked.count == 1)
        clock.advance(by: .seconds(1))
        await clock.waitForSleepers()
        #expect(answers.asked.count == 2)
        watch.cancel()
    }

    @Test func `a long answer is cut`() async {
        let answers = Answers([.success((0..<1000).map { "10.0.\($0 / 250).\($0 % 250)" })])
        let counts = Mutex<[Int]>([])
        let registry = DNSRegistry(every: .zero, minimum: .seconds(30), lookUp: answers.lookUp, clock: clock)
        let watch = registry.watch("users:80") { update in counts.withLock { $0.append((try? update.get().count) ?? 0) }
        }
        await clock.waitForSleepers()
        #expect(counts.withLock { $0 } == [256])
        watch.cancel()
    }

    @Test func `a name that is none fails the watch, and nothing can be registered`() async {
        let told = Told()
        let registry = DNSRegistry(clock: clock)
        let watch = registry.watch("dns://8.8.8.8/users") { told.add($0) }
        while told.all.isEmpty { await Task.yield() }
        #expect(told.all.first?.hasPrefix("INVALID_ARGUMENT") == true)
        watch.cancel()
        let error = await #expect(throws: RPCError.self) {
            try await registry.register(ServiceInstance(service: "a", id: "b", endpoint: .local(1)))
        }
        #expect(error?.code == .unimplemented)
    }

    @Test func `the system's resolver answers for a numeric host without a network`() async throws {
        #expect(try await HostLookUp.system.addresses("127.0.0.1").get() == ["127.0.0.1"])
        #expect(try await HostLookUp.system.addresses("::1").get() == ["::1"])
    }
}
