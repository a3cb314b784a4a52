// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

@testable import ApusTransport

/// A channel's calls on several loops, each with connections of its own.
@Suite struct OtherLoopTests {
    /// A call on one loop fails to connect, or waits; then the server comes, and another loop connects to it.
    ///
    /// - Returns: how the call on the first loop ended, and one after it, within a minute. They would try again by
    ///   themselves in an hour.
    private static func run(_ names: [String], waits: Bool, seed: UInt64) throws -> [Status.Code?] {
        let simulation = Simulation(seed: seed, loops: 3)
        let network = FaultyNetwork { _ in (.clean, .clean) }
        let candidates = Candidates(names.map { Endpoint(.memory($0)) })
        let (channel, transport) = connect(candidates, network, simulation, seed)
        func call(on loop: Int, waits: Bool) -> Slot<Status.Code> {
            let result = Slot<Status.Code>()
            Task(executorPreference: simulation.loops[loop]) {
                result.value = await RecordedCall(.unary, on: channel, CallOptions(waitForReady: waits)).code
            }
            simulation.advance(by: .seconds(1))
            return result
        }
        let first = call(on: 0, waits: waits)
        var options = ServerOptions()
        options.eventLoops = EventLoops(simulated: [simulation.loops[2]])
        let server = try ActiveServer(try Server([RecordedService()]), options: options)
        network.servers["b"] = server
        guard let handle = candidates.handles.first(where: { $0.endpoint.address == .memory("b") }) else { return [] }
        Task(executorPreference: simulation.loops[1]) { try transport.connect(to: handle) }
        simulation.advance(by: .seconds(60))
        let last = call(on: 0, waits: false)
        channel.close()
        simulation.advance(by: .seconds(3))
        server.stopNow()
        _ = simulation.settle()
        return [first.value, last.value]
    }

    private static func connect(
        _ candidates: Candidates, _ network: FaultyNetwork, _ simulation: Simulation, _ seed: UInt64
    ) -> (Channel, HTTP2Transport) {
        var options = TransportOptions()
        options.eventLoops = EventLoops(simulated: Array(simulation.loops.prefix(2)))
        options.backoff.initial = .seconds(3600)
        options.backoff.maximum = .seconds(3600)
        let transport = HTTP2Transport(dialer: network, options: options)
        let channel = Channel(
            "recorded",
            interceptors: [FixedCandidates(candidates), RandomBalancer(random: SplitMixRandom(seed: seed))],
            transport: transport, clock: SimulatedClock(simulation))
        return (channel, transport)
    }

    @Test(arguments: [["b"], ["a", "b"], ["a", "b", "c"]])
    func `a call that waits hears of a connection that another loop made`(_ candidates: [String]) async throws {
        let ends = try await script { try (1...20).map { try Self.run(candidates, waits: true, seed: $0) } }
        for codes in ends { #expect(codes == [.ok, .ok]) }
    }

    @Test func `an endpoint that another loop reached refuses no calls`() async throws {
        let ends = try await script { try (1...20).map { try Self.run(["b"], waits: false, seed: $0) } }
        for codes in ends { #expect(codes == [.unavailable, .ok]) }
    }
}
