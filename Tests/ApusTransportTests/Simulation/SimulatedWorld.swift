// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport

@testable import ApusTransport

/// A client, two servers and their network in one simulation: it plays a plan and says what must not be.
/// On a thread of its own.
final class SimulatedWorld {
    /// What a writer can be ahead of its reader: two queues, the window, the network, a message at either end.
    static let buffersOfStream = 3 * (64 << 10) + (256 << 10) + 3 * SimulationPlan.Message.largest

    private let plan: SimulationPlan
    private let simulation: Simulation
    private let clock: SimulatedClock
    private let ledger: SimulationLedger
    private let network: FaultyNetwork
    private let candidates = Candidates(SimulationPlan.servers.map { Endpoint(.memory($0)) })
    private var servers: [ActiveServer] = []

    /// What a run showed.
    struct Report: Sendable {
        var violations: [String]
        var trace: [String]
        var codes: [Status.Code: Int]
    }

    static func run(seed: UInt64) throws -> Report {
        let world = SimulatedWorld(SimulationPlan(seed: seed))
        try world.play()
        var codes: [Status.Code: Int] = [:]
        for end in world.ledger.clientEnds.values { codes[end.code ?? .cancelled, default: 0] += 1 }
        world.ledger.note("\(world.simulation.turns) turns")
        return Report(violations: world.ledger.violations, trace: world.ledger.trace, codes: codes)
    }

    private init(_ plan: SimulationPlan) {
        self.plan = plan
        simulation = Simulation(seed: plan.seed, loops: 3)
        clock = SimulatedClock(simulation)
        ledger = SimulationLedger(plan, clock: clock)
        network = Self.network(plan, Dice(SplitMixRandom(seed: plan.seed &+ 1)))
    }

    private static func network(_ plan: SimulationPlan, _ dice: Dice) -> FaultyNetwork {
        let slowest = dice.one(of: [1, 100, 2000])
        let largest = dice.one(of: [500, 5000, 100_000])
        let weather = Weather(
            pieceTime: { .microseconds(dice.number(0..<slowest)) },
            pieceSize: { dice.number(largest / 10..<largest) })
        func line() -> FaultLine {
            guard !plan.isCalm, dice.chance(4) else { return .clean }
            let fault = dice.one(of: [Fault.delay, .split, .cap, .reset, .halfClose, .stall])
            return FaultLine(fault, at: MomentWatch(byte: dice.number(0..<dice.one(of: [100, 2000, 50_000]))))
        }
        return FaultyNetwork(weather: weather, dialTime: { dice.milliseconds(0..<20) }) { _ in (line(), line()) }
    }

    // MARK: The play

    private func play() throws {
        for name in SimulationPlan.servers { try serve(name) }
        weak var transport: HTTP2Transport?
        do {
            let (channel, pool) = connect()
            transport = pool
            for call in plan.calls { start(call, channel) }
            for upheaval in plan.upheavals { plan(upheaval) }
            let outcome = simulation.run(maximumTurns: 3_000_000) { ledger.clientEnds.count == plan.calls.count }
            if outcome != .reached { ledger.violated("calls never end: \(outcome)") }
            channel.close()
        }
        // Servers ask silent clients every two hours whether they are there.
        simulation.advance(by: .seconds(3 * 3600))
        judgeCalls()
        judgeHandlers()
        if !isGone({ transport == nil }) { ledger.violated("the transport is still there") }
        tearDown()
    }

    private func serve(_ name: String) throws {
        var options = ServerOptions()
        options.eventLoops = EventLoops(simulated: Array(simulation.loops.dropFirst()))
        options.maximumConcurrentStreams = plan.concurrentStreams
        options.streamWindow = 64 << 10
        options.connectionWindow = plan.connectionWindow
        options.maximumConnectionAge = plan.connectionAge
        options.maximumConnectionAgeGrace = plan.connectionAgeGrace
        let server = try Server([SimulatedService(ledger: ledger, clock: clock)])
        let active = try ActiveServer(server, options: options)
        servers.append(active)
        network.servers[name] = active
    }

    private func connect() -> (Channel, HTTP2Transport) {
        var options = TransportOptions()
        options.eventLoops = EventLoops(simulated: [simulation.loops[0]])
        options.streamWindow = 64 << 10
        options.connectionWindow = plan.connectionWindow
        options.keepalive = ClientKeepalive(interval: .seconds(10), timeout: .seconds(20))
        options.idleTimeout = plan.idleTimeout
        options.backoff.initial = .milliseconds(20)
        let transport = HTTP2Transport(dialer: network, options: options)
        var interceptors: [any ClientInterceptor] = [
            FixedCandidates(candidates), RandomBalancer(random: SplitMixRandom(seed: plan.seed &+ 2)),
        ]
        if plan.retries {
            interceptors.insert(Retry(random: SplitMixRandom(seed: plan.seed &+ 3), clock: clock), at: 0)
        }
        let channel = Channel(
            "simulated", interceptors: interceptors, transport: transport, observer: ledger, clock: clock)
        return (channel, transport)
    }

    private func start(_ call: SimulationPlan.Call, _ channel: Channel) {
        let (clock, loop) = (clock, simulation.loops[0])
        let caller = SimulatedCaller(plan: call, channel: channel, ledger: ledger, clock: clock)
        let begin = clock.now.advanced(by: call.start)
        let task = Task(executorPreference: loop) {
            // A cancellation may come before the call.
            try? await clock.sleep(until: begin)
            await caller.run()
        }
        guard let after = call.cancelAfter else { return }
        at(begin.advanced(by: after)) { task.cancel() }
    }

    private func at(_ moment: MonotonicInstant, _ action: @escaping () -> Void) {
        simulation.loops[0].schedule(LoopTimer(action), at: moment)
    }

    private func plan(_ upheaval: (at: Duration, server: String, what: SimulationPlan.Upheaval)) {
        let moment = clock.now.advanced(by: upheaval.at)
        let name = upheaval.server
        at(moment) { [self] in
            ledger.note("\(upheaval.what) of \(name)")
            switch upheaval.what {
            case .replace:
                network.servers[name]?.beginDraining()
                try? serve(name)
            case .crash(let time):
                network.servers.removeValue(forKey: name)?.stopNow()
                at(clock.now.advanced(by: time)) { [self] in
                    if network.servers[name] == nil { try? serve(name) }
                }
            case .breakConnection: network.connections.last?.client.reset()
            }
        }
    }

    // MARK: The judgement

    private func judgeCalls() {
        for call in plan.calls {
            guard let end = ledger.clientEnds[call.id] else { continue }
            if ledger.observedEnds[call.id] != 1 {
                ledger.violated("call \(call.id) was told to have ended \(ledger.observedEnds[call.id] ?? 0) times")
            }
            if let code = end.code, !isLegal(code, call) { ledger.violated("call \(call.id): \(end.text)") }
            if end.code == .ok { judgeSuccess(call, end) }
            let handlers = ledger.handlers.filter { $0.call == call.id }
            if handlers.count > (plan.retries ? 4 : 1) {
                ledger.violated("call \(call.id): \(handlers.count) handlers")
            }
        }
    }

    private func isLegal(_ code: Status.Code, _ call: SimulationPlan.Call) -> Bool {
        switch code {
        case .ok: !call.fails
        case .failedPrecondition: call.fails
        case .unavailable: !plan.isCalm
        case .deadlineExceeded: call.deadline != nil
        case .cancelled: call.cancelAfter != nil
        default: false
        }
    }

    private func judgeSuccess(_ call: SimulationPlan.Call, _ end: SimulationLedger.ClientEnd) {
        if end.responses.count != call.responses.count {
            ledger.violated(
                "call \(call.id) succeeded with \(end.responses.count) of \(call.responses.count) responses")
        }
        // A stream without a response does not say who sent it.
        guard let number = end.responses.first?.handler, (1...ledger.handlers.count).contains(number) else { return }
        let handler = ledger.handlers[number - 1]
        if handler.requests != call.requests.count {
            ledger.violated("call \(call.id) succeeded, its handler got \(handler.requests) of \(call.requests.count)")
        }
        guard case .some(.none) = handler.end else {
            return ledger.violated("call \(call.id) succeeded, its handler did not")
        }
    }

    private func judgeHandlers() {
        for (index, handler) in ledger.handlers.enumerated() where handler.end == nil {
            ledger.violated("handler \(index + 1) of call \(handler.call) runs on")
        }
        for server in servers {
            let counts = server.counts
            if counts.connections + counts.handlers + counts.handshakes > 0 { ledger.violated("left: \(counts)") }
        }
        for handle in candidates.handles where handle.callsInFlight != 0 {
            ledger.violated("\(handle.callsInFlight) calls in flight are counted at \(handle.endpoint.address)")
        }
    }

    private func tearDown() {
        for server in servers { server.stopNow() }
        weak let first = servers.first
        servers = []
        network.servers = [:]
        network.forget()
        if simulation.settle() != .reached { ledger.violated("something goes on for ever") }
        if !isGone({ first == nil }) { ledger.violated("a server is still there") }
        let timers = simulation.loops.map(\.timerCount).reduce(0, +)
        if timers > 0 { ledger.violated("\(timers) timers are left") }
    }
}
