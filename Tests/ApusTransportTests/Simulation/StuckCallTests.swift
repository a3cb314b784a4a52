// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusTransport

/// A call whose HEADERS wait behind a socket that takes no more.
@Suite struct StuckCallTests {
    @Test func `a streamed call that could not leave goes whole to another connection`() async throws {
        let (first, second, requests) = try await script {
            let simulation = Simulation(seed: 1, loops: 2)
            let network = FaultyNetwork { number in
                (number == 0 ? FaultLine(.delay, at: MomentWatch(byte: 1000)) : .clean, .clean)
            }
            let service = RecordedService()
            var options = ServerOptions()
            options.eventLoops = simulation.eventLoops
            network.servers["recorded"] = try ActiveServer(try Server([service]), options: options)
            let channel = Self.channel(network, simulation)
            let (first, second) = (Slot<Status.Code>(), Slot<Status.Code>())
            // More than the socket takes.
            Task(executorPreference: simulation.loops[0]) {
                let big = MessageBytes([UInt8](repeating: 0, count: 500_000))
                do throws(RPCError) {
                    _ = try await channel.unary(RecordedService.method(.unary), big)
                } catch {
                    first.value = error.code
                }
            }
            simulation.advance(by: .milliseconds(100))
            Task(executorPreference: simulation.loops[0]) {
                second.value = await RecordedCall(.clientStreaming, on: channel, CallOptions()).code
            }
            simulation.advance(by: .milliseconds(100))
            network.connections[0].client.reset()
            let outcome = simulation.run { first.value != nil && second.value != nil }
            guard outcome == .reached else { throw RawSocket.Failure(what: "\(outcome)") }
            return (first.value, second.value, service.record.all.map(\.requests))
        }
        #expect(first == .unavailable)
        #expect(second == .ok)
        #expect(requests == [(0..<CallKind.clientStreaming.requests).map(RecordedService.request)])
    }

    private static func channel(_ network: FaultyNetwork, _ simulation: Simulation) -> Channel {
        var options = TransportOptions()
        options.eventLoops = simulation.eventLoops
        return Channel(
            "recorded", interceptors: [ToEndpoint(.memory("recorded"))],
            transport: HTTP2Transport(dialer: network, options: options), clock: SimulatedClock(simulation))
    }
}
