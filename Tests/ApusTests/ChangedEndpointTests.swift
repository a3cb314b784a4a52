// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusTestSupport
import Synchronization
import Testing

/// A registry of one list, which the test replaces.
private final class ReplacedList: Registry {
    private let sink = Mutex<(@Sendable (Result<[Endpoint], RPCError>) -> Void)?>(nil)
    private let list: Mutex<[Endpoint]>

    init(_ list: [Endpoint]) { self.list = Mutex(list) }

    func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration { Registration {} }

    func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        sink.withLock { $0 = onUpdate }
        onUpdate(.success(list.withLock { $0 }))
        return RegistryWatch {}
    }

    func replace(with endpoints: [Endpoint]) { sink.withLock { $0 }?(.success(endpoints)) }
}

/// Counts the connections that were opened, and remembers who was picked.
private final class Connections: Observer {
    private let opened = Atomic<Int>(0)
    private let picks = Mutex<[EndpointHandle: Int]>([:])

    var count: Int { opened.load(ordering: .relaxed) }

    func takePicks() -> [EndpointHandle: Int] {
        picks.withLock { picks in
            defer { picks = [:] }
            return picks
        }
    }

    func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        if new == .ready { opened.wrappingAdd(1, ordering: .relaxed) }
    }

    func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        picks.withLock { $0[endpoint, default: 0] += 1 }
    }
}

private struct Answering: Service {
    var routes: [Route] { [Route(.unary) { _ in ServerResponse(message: MessageBytes("yes".utf8)) }] }
}

private struct Failing: Service {
    var routes: [Route] { [Route(.unary) { _ in throw RPCError(.unavailable, "broken") }] }
}

private final class BreakerStates: Observer {
    private let states = Mutex<[BreakerState?]>([])

    var all: [BreakerState?] { states.withLock { $0 } }

    func policyEvent(_ event: PolicyEvent, of target: String) {
        if case .breaker(_, _, _, _, let state) = event { states.withLock { $0.append(state) } }
    }
}

@Suite(.timeLimit(.minutes(5))) struct ChangedEndpointTests {
    private static func endpoints(weights: [Double], zone: String) -> [Endpoint] {
        weights.enumerated().map { Endpoint(.memory("server-\($0)"), metadata: ["zone": zone], weight: $1) }
    }

    @Test func `connections stay when weights and metadata change, and the balancer follows the new weights`()
        async throws
    {
        let network = InMemoryNetwork()
        let running = try (0..<2).map { try network.start(Server([Answering()]), as: "server-\($0)") }
        let registry = ReplacedList(Self.endpoints(weights: [1, 1], zone: "a"))
        let connections = Connections()
        let channel = Channel(
            "users",
            interceptors: [Discovery(registry), WeightedRandomBalancer(random: SplitMixRandom(seed: 6))],
            transport: network.transport(), observer: connections)
        for _ in 0..<50 { try await channel.ask() }
        let handles = Set(connections.takePicks().keys)
        let opened = connections.count
        #expect(handles.count == 2 && opened == 2)

        registry.replace(with: Self.endpoints(weights: [0, 9], zone: "b"))
        for _ in 0..<50 { try await channel.ask() }
        let picks = connections.takePicks()
        #expect(picks.keys.map(\.address) == [.memory("server-1")])
        #expect(handles.isSuperset(of: picks.keys))
        #expect(picks.keys.allSatisfy { $0.weight == 9 && $0.endpoint.metadata == ["zone": "b"] })
        #expect(handles.allSatisfy { !$0.isRetired })

        registry.replace(with: Self.endpoints(weights: [1, 1], zone: "b"))
        for _ in 0..<50 { try await channel.ask() }
        #expect(Set(connections.takePicks().keys) == handles)
        #expect(connections.count == opened)
        channel.close()
        for each in running {
            await each.stop(grace: .seconds(10))
            #expect(each.counts.connections == 0)
        }
    }

    @Test func `what a breaker knew of one instance does not hold for the next one at its address`() async throws {
        let network = InMemoryNetwork()
        var rules = BreakerRules()
        rules.minimumCalls = 4
        let registry = InMemoryRegistry()
        let states = BreakerStates()
        let channel = Channel(
            "users",
            interceptors: [
                Discovery(registry), RandomBalancer(random: SplitMixRandom(seed: 6)), CircuitBreaker(rules: rules),
            ],
            transport: network.transport(), observer: states)
        func place(_ id: String) -> ServiceInstance {
            ServiceInstance(service: "users", id: id, endpoint: Endpoint(.memory("server")))
        }
        let failing = try network.start(Server([Failing()]), as: "server")
        let first = try await registry.register(place("first"))
        for _ in 0..<4 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        #expect(states.all == [.open])
        await first.leave()
        await failing.stop(grace: .seconds(10))

        let answering = try network.start(Server([Answering()]), as: "server")
        let second = try await registry.register(place("second"))
        #expect(try await channel.ask() == "yes")
        // The old one's breaker says so when its endpoint leaves; the new one's was never open.
        #expect(states.all == [.open, nil])
        await second.leave()
        channel.close()
        await answering.stop(grace: .seconds(10))
    }
}
