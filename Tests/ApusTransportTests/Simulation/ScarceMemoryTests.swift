// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusTestSupport
import Testing

@testable import ApusTransport

/// HTTP/2 gets no memory, at each allocation in turn: the connection ends, and everything else goes on.
@Suite struct ScarceMemoryTests {
    enum End: CaseIterable, Sendable {
        case client, server
        var loop: Int { self == .client ? 0 : 1 }
    }

    @Test(arguments: CallKind.allCases, End.allCases)
    func `a call whose end gets no memory fails, and the next one has another connection`(
        _ kind: CallKind, _ end: End
    ) async throws {
        let (problems, allocations) = try await script {
            var problems: [String] = []
            for allocation in 0..<1000 {
                let run = try ScarceRun(kind, end)
                let wasOut = try run.play(failing: allocation)
                problems += run.problems.map { "allocation \(allocation): \($0)" }
                if !wasOut { return (problems, allocation) }
            }
            throw RawSocket.Failure(what: "memory was out each time")
        }
        #expect(problems == [])
        #expect(allocations > 15)
    }
}

/// The world of one call whose one end gets no memory for HTTP/2 once.
private final class ScarceRun {
    private(set) var problems: [String] = []
    private let kind: CallKind
    private let simulation = Simulation(seed: 1, loops: 2)
    private let end: ScarceMemoryTests.End
    private let network = FaultyNetwork { _ in (.clean, .clean) }
    private let service = RecordedService()
    private let server: ActiveServer
    private let channel: Channel

    init(_ kind: CallKind, _ end: ScarceMemoryTests.End) throws {
        self.kind = kind
        self.end = end
        var options = ServerOptions()
        options.eventLoops = EventLoops(simulated: [simulation.loops[1]])
        server = try ActiveServer(try Server([service]), options: options)
        network.servers["recorded"] = server
        var clientOptions = TransportOptions()
        clientOptions.eventLoops = EventLoops(simulated: [simulation.loops[0]])
        channel = Channel(
            "recorded", interceptors: [ToEndpoint(.memory("recorded"))],
            transport: HTTP2Transport(dialer: network, options: clientOptions), clock: SimulatedClock(simulation))
    }

    /// - Returns: whether memory was out.
    func play(failing allocation: Int) throws -> Bool {
        let memory = ScarceMemory(failing: allocation, stays: false)
        simulation.loops[end.loop].sessionMemory = memory
        var failures: [RecordedCall?] = []
        for _ in 0..<3 {
            let ended = call()
            if ended?.code != .ok { failures.append(ended) }
            // The client hears of the connection's end.
            simulation.advance(by: .seconds(5))
        }
        if failures.count > (memory.wasOut ? 1 : 0) { problems.append("\(failures.count) calls failed") }
        for failure in failures { judge(failure) }
        tearDown()
        if memory.strangeReleases > 0 { problems.append("a block is given back twice") }
        return memory.wasOut
    }

    private func call() -> RecordedCall? {
        let result = Slot<RecordedCall>()
        Task(executorPreference: simulation.loops[0]) { [kind, channel] in
            result.value = await RecordedCall(kind, on: channel, CallOptions(timeout: .seconds(20)))
        }
        _ = simulation.run { result.value != nil }
        return result.value
    }

    private func judge(_ failure: RecordedCall?) {
        guard let failure else { return problems.append("a call does not end") }
        if failure.code != .unavailable { problems.append(failure.message) }
        if end == .client, !failure.message.contains("Out of memory") {
            problems.append("no reason: \(failure.message)")
        }
    }

    private func tearDown() {
        channel.close()
        simulation.advance(by: .seconds(60))
        let counts = server.counts
        if counts.connections + counts.handlers + counts.handshakes > 0 { problems.append("left: \(counts)") }
        if !service.record.all.allSatisfy({ $0.end != nil }) { problems.append("a handler runs on") }
        server.stopNow()
        if simulation.settle() != .reached { problems.append("the server goes on") }
    }
}
