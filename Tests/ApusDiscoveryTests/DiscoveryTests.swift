// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusInterceptors
import ApusTestSupport
import Synchronization
import Testing

/// A registry whose updates the test sends.
private final class ScriptedRegistry: Registry {
    private typealias Sink = @Sendable (Result<[Endpoint], RPCError>) -> Void
    private let sinks = Mutex<[(service: String, sink: Sink)]>([])
    private let cancels = Mutex(0)
    private let refreshes = Mutex(0)

    var watched: [String] { sinks.withLock { $0.map(\.service) } }
    var cancelled: Int { cancels.withLock { $0 } }
    var refreshed: Int { refreshes.withLock { $0 } }

    func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration { Registration {} }

    func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        sinks.withLock { $0.append((service, onUpdate)) }
        return RegistryWatch {
            self.refreshes.withLock { $0 += 1 }
        } cancel: {
            self.cancels.withLock { $0 += 1 }
        }
    }

    func send(_ update: Result<[Endpoint], RPCError>) {
        for entry in sinks.withLock({ $0 }) { entry.sink(update) }
    }

    func send(ports: [Int]) { send(.success(ports.map { .local($0) })) }
}

struct DiscoveryTests {
    private let registry = ScriptedRegistry()
    private let script = ScriptedTransport()
    private let clock = ManualClock()
    private let observer = RecordingObserver()

    private func channel(_ more: any ClientInterceptor...) -> Channel {
        script.otherwise.reply()
        return Channel(
            "users", interceptors: [Discovery(registry, clock: clock)] + more, transport: script, observer: observer,
            clock: clock)
    }

    private func startsWatch() async { while registry.watched.isEmpty { await Task.yield() } }

    private func ports(_ call: ClientCall) -> [Int] {
        (call.candidates?.handles ?? []).compactMap { handle in
            guard case .host(_, let port) = handle.endpoint.address else { return nil }
            return port
        }
    }

    @Test func `the first call waits for the registry's answer, later ones do not wait`() async throws {
        let channel = channel()
        async let first = channel.ask()
        await startsWatch()
        await clock.waitForSleepers()
        registry.send(ports: [1, 2])
        _ = try await first
        try await channel.ask()
        #expect(script.calls.map(ports) == [[1, 2], [1, 2]])
        #expect(registry.watched == ["users"])
        #expect(clock.sleepers == 0)
    }

    @Test func `calls that start together share one watch`() async throws {
        let channel = channel()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await channel.ask() } }
            await clock.waitForSleepers(50)
            registry.send(ports: [1])
            try await group.waitForAll()
        }
        #expect(registry.watched == ["users"])
        #expect(script.calls.count == 50)
    }

    @Test func `a new list keeps the handles of those that stayed and retires those that left`() async throws {
        let channel = channel()
        async let first = channel.ask()
        await startsWatch()
        registry.send(ports: [1, 2])
        _ = try await first
        registry.send(ports: [2, 3])
        try await channel.ask()
        let (old, new) = (script.calls[0].candidates?.handles ?? [], script.calls[1].candidates?.handles ?? [])
        #expect(old[1] === new[0])
        #expect(old[0].isRetired && !new[0].isRetired && !new[1].isRetired)
        #expect(observer.resolved == [[.local(1), .local(2)], [.local(2), .local(3)]])
    }

    @Test func `a registry that fails keeps the last good list`() async throws {
        let channel = channel()
        async let first = channel.ask()
        await startsWatch()
        registry.send(ports: [1])
        _ = try await first
        registry.send(.failure(RPCError(.unavailable, "disk on fire")))
        try await channel.ask()
        #expect(ports(script.calls[1]) == [1])
        registry.send(ports: [2])
        try await channel.ask()
        #expect(ports(script.calls[2]) == [2])
    }

    @Test func `a registry that fails at first fails calls with its reason until it recovers`() async throws {
        let channel = channel()
        let first = Task { try await channel.ask() }
        await startsWatch()
        registry.send(.failure(RPCError(.dataLoss, "disk on fire")))
        let error = await #expect(throws: RPCError.self) { try await first.value }
        #expect(error?.description == "UNAVAILABLE: discovery of 'users' failed: disk on fire")
        #expect(error?.progress == .notConnected)
        registry.send(ports: [1])
        try await channel.ask()
    }

    @Test func `a name nobody registered fails at once and says what to do`() async throws {
        let channel = Channel(
            "users", interceptors: [Discovery(InMemoryRegistry()), RandomBalancer()], transport: script)
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .unavailable)
        #expect(error?.progress == .notConnected)
        #expect(error?.message.hasPrefix("nobody serves 'users' in this registry: start an instance") == true)
    }

    @Test func `a call that waits for ready waits until somebody serves`() async throws {
        let channel = channel()
        async let answer = channel.ask(CallOptions(waitForReady: true))
        await startsWatch()
        registry.send(ports: [])
        registry.send(.failure(RPCError(.unavailable, "hiccup")))
        clock.advance(by: .seconds(3600))
        registry.send(ports: [4])
        _ = try await answer
        #expect(ports(script.calls[0]) == [4])
    }

    @Test func `a registry that does not answer fails the call after five seconds`() async throws {
        let channel = channel()
        let answer = Task { try await channel.ask() }
        await clock.waitForSleepers()
        clock.advance(by: .milliseconds(4999))
        #expect(clock.sleepers == 1)
        clock.advance(by: .milliseconds(1))
        let error = await #expect(throws: RPCError.self) { try await answer.value }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("no answer about 'users'") == true)
    }

    @Test(arguments: [false, true])
    func `a call waits no longer than its deadline`(waitForReady: Bool) async throws {
        let channel = channel()
        let answer = Task { try await channel.ask(CallOptions(timeout: .seconds(1), waitForReady: waitForReady)) }
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        let error = await #expect(throws: RPCError.self) { try await answer.value }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.progress == .notConnected)
    }

    @Test func `a cancelled call stops waiting`() async throws {
        let channel = channel()
        let call = Task { try await channel.ask() }
        await clock.waitForSleepers()
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        #expect(clock.sleepers == 0)
    }

    @Test func `the registry hears of calls that reach nobody, and of no other failures`() async throws {
        let channel = Channel(
            "users", interceptors: [Discovery(registry, clock: clock)], transport: script, clock: clock)
        script.expect().fail(.unavailable, progress: .sent)
        script.expect().fail(.permissionDenied, progress: .notConnected)
        async let first = channel.ask()
        await startsWatch()
        registry.send(ports: [1])
        _ = try? await first
        _ = try? await channel.ask()
        #expect(registry.refreshed == 0)
        script.expect().fail(.unavailable, progress: .notConnected)
        await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(script.unmet == 0)
        #expect(registry.refreshed == 1)
    }

    @Test func `a channel that closes takes its list back, and another of the same target keeps its own`() async throws
    {
        let (first, second) = (channel(), channel())
        async let one = first.ask()
        async let two = second.ask()
        while registry.watched.count < 2 { await Task.yield() }
        registry.send(ports: [1])
        _ = try await (one, two)
        #expect(observer.resolved == [[.local(1)], [.local(1)]])
        first.close()
        first.close()
        #expect(observer.closed == [[.local(1)]])
        registry.send(ports: [1, 2])
        #expect(observer.resolved.count == 3)
        second.close()
        #expect(observer.closed == [[.local(1)], [.local(1), .local(2)]])
    }

    @Test func `a released channel ends its watches`() async throws {
        do {
            let channel = channel()
            async let answer = channel.ask()
            await startsWatch()
            registry.send(ports: [1])
            _ = try await answer
            #expect(registry.cancelled == 0)
        }
        #expect(registry.cancelled == 1)
    }

    @Test func `instances come and go under calls that are retried, and none is lost`() async throws {
        let registry = InMemoryRegistry()
        let script = ScriptedTransport()
        script.otherwise.run { call in
            guard case .host(_, let port) = call.endpoint?.endpoint.address, port != 666 else {
                throw RPCError(.unavailable, "dead")
            }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        let channel = Channel(
            "users",
            interceptors: [
                Retry(.exponential(initial: .zero), clock: clock), Discovery(registry, clock: clock),
                RandomBalancer(random: SplitMixRandom(seed: 1)),
            ], transport: script, clock: clock)
        _ = try await registry.register(ServiceInstance(service: "users", id: "dead", endpoint: .local(666)))
        _ = try await registry.register(ServiceInstance(service: "users", id: "good", endpoint: .local(1)))
        for round in 0..<300 {
            let id = "extra\(round)"
            let extra = try await registry.register(
                ServiceInstance(service: "users", id: id, endpoint: .local(1000 + round)))
            try await channel.ask()
            await extra.leave()
            try await channel.ask()
        }
    }
}
