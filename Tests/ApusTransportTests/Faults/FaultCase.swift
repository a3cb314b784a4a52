// SPDX-License-Identifier: Apache-2.0

import ApusCore

@testable import ApusTransport

/// One call with one fault on its connection, in a simulated world.
struct FaultCase: CustomStringConvertible, Codable, Sendable {
    /// Who finds out that nothing comes any more.
    enum Patience: String, CaseIterable, Codable, Sendable {
        case deadline, keepalive
    }

    var kind: CallKind
    var direction: Direction
    var moment: Moment
    var fault: Fault
    var patience = Patience.deadline

    var description: String { "\(kind), \(fault) \(direction) at \(moment), \(patience)" }

    /// Whether the call has such a moment.
    var exists: Bool { moment != .betweenMessages || kind.messages(direction) > 1 }

    /// All cases of a fault with one kind of call.
    static func all(_ kind: CallKind, _ fault: Fault) -> [FaultCase] {
        var cases: [FaultCase] = []
        for direction in Direction.allCases {
            for moment in Moment.allCases {
                for patience in fault == .stall ? Patience.allCases : [.deadline] {
                    cases.append(
                        FaultCase(kind: kind, direction: direction, moment: moment, fault: fault, patience: patience))
                }
            }
        }
        return cases.filter(\.exists)
    }

    // MARK: What is right

    /// How the call may end at the client; nil: in any way.
    var legalCodes: Set<Status.Code>? {
        if fault.isHarmless { return [.ok] }
        if fault == .corrupt { return nil }
        if moment == .afterEnd, direction == .toClient { return [.ok] }
        if moment == .afterEnd, fault == .stall { return [.ok] }
        // The server may be quick enough to answer before it sees the end.
        if moment == .afterEnd, fault == .halfClose { return [.ok, .unavailable] }
        if fault == .stall, patience == .deadline { return [.deadlineExceeded] }
        return [.unavailable]
    }

    /// Whether the server's handler is started: nil when both is right.
    var startsHandler: Bool? {
        if fault.isHarmless { return true }
        if direction == .toClient {
            let isAfterSettings = moment != .start && moment != .insideStart
            return isAfterSettings ? true : nil
        }
        if fault == .corrupt || moment == .afterEnd { return nil }
        switch moment {
        case .start, .insideStart, .beforeHeaders, .insideHeaders: return false
        default:
            guard kind == .clientStreaming || kind == .bidirectional else { return false }
            // A call may be over before its handler had its turn; then it gets none.
            return fault == .reset || fault == .halfClose ? nil : true
        }
    }

    /// Whether no handler can have had the whole request.
    var cutsRequest: Bool {
        !fault.isHarmless && fault != .corrupt && direction == .toServer && moment != .afterEnd
    }

    /// Whether a message may arrive with another content: the byte was in it, and no framing tells.
    var mayChangeContent: Bool {
        // The end of a request comes with its last message, unless an answer is waited for in between.
        let endIsMessage = direction == .toServer && kind != .bidirectional
        return fault == .corrupt && (moment == .insideMessage || moment == .insideEnd && endIsMessage)
    }

    /// Whether these messages are those that were sent, but for the byte that the fault changed.
    func admits(_ messages: [MessageBytes], for sent: [MessageBytes]) -> Bool {
        guard messages.count == sent.count else { return false }
        return mayChangeContent ? zip(messages, sent).allSatisfy { $0.count == $1.count } : messages == sent
    }

    /// Whether the server cannot know before it asks by itself, which it does after two hours of silence.
    var leavesServerAlone: Bool { fault == .stall && direction == .toServer && patience == .keepalive }
}

/// The world of one case, and what was seen in it. On the simulation's thread.
struct FaultRun {
    private let test: FaultCase
    private let simulation: Simulation
    private let network: FaultyNetwork
    private let service = RecordedService()
    private var problems: [String] = []

    private static let name = "recorded"
    private static let deadline = Duration.seconds(5)

    init(_ test: FaultCase, seed: UInt64) {
        self.test = test
        simulation = Simulation(seed: seed, loops: 2)
        network = FaultyNetwork { connection in
            guard connection == 0 else { return (.clean, .clean) }
            let watch = MomentWatch(test.moment, test.direction, messageSize: RecordedService.frameSize)
            let line = FaultLine(test.fault, at: watch)
            return test.direction == .toServer ? (line, .clean) : (.clean, line)
        }
    }

    /// Plays the case.
    ///
    /// - Returns: what was not right.
    static func problems(_ test: FaultCase, seed: UInt64 = 1) throws -> [String] {
        var run = FaultRun(test, seed: seed)
        try run.play()
        return run.problems.map { "\(test), seed \(seed): \($0)" }
    }

    private mutating func play() throws {
        weak var active: ActiveServer?
        weak var transport: HTTP2Transport?
        do {
            let server = try serve()
            let (channel, ended) = connect()
            (active, transport) = (server, ended)
            judge(call(channel, deadline: test.patience == .deadline ? Self.deadline : nil))
            simulation.advance(by: .seconds(60))
            judgeHandlers()
            expectRecovery(channel, server)
            close(channel, server)
        }
        network.servers = [:]
        network.forget()
        _ = simulation.settle()
        expect(isGone { active == nil }, "the server is still there")
        expect(isGone { transport == nil }, "the transport is still there")
        for loop in simulation.loops { expect(loop.timerCount == 0, "\(loop.timerCount) timers are left") }
    }

    private mutating func expect(_ isRight: Bool, _ text: @autoclosure () -> String) {
        if !isRight { problems.append(text()) }
    }

    private func serve() throws -> ActiveServer {
        var options = ServerOptions()
        options.eventLoops = simulation.eventLoops
        let active = try ActiveServer(try Server([service]), options: options)
        network.servers[Self.name] = active
        return active
    }

    private func connect() -> (Channel, HTTP2Transport) {
        var options = TransportOptions()
        options.eventLoops = simulation.eventLoops
        options.keepalive = ClientKeepalive(interval: .seconds(10), timeout: .seconds(20), withoutCalls: true)
        let transport = HTTP2Transport(dialer: network, options: options)
        let channel = Channel(
            Self.name, interceptors: [ToEndpoint(.memory(Self.name))], transport: transport,
            clock: SimulatedClock(simulation))
        return (channel, transport)
    }

    private mutating func call(_ channel: Channel, deadline: Duration?) -> RecordedCall? {
        let result = Slot<RecordedCall>()
        let options = CallOptions(timeout: deadline)
        let kind = test.kind
        Task(executorPreference: simulation.loops[0]) {
            result.value = await RecordedCall(kind, on: channel, options)
        }
        let outcome = simulation.run { result.value != nil }
        expect(outcome == .reached, "the call never ends: \(outcome)")
        return result.value
    }

    private mutating func judge(_ call: RecordedCall?) {
        guard let call else { return }
        expect(network.hasStruck, "the fault did not come about")
        if let legal = test.legalCodes { expect(legal.contains(call.code), "\(call.message), not \(legal)") }
        guard call.code == .ok else { return }
        let expected = (0..<test.kind.responses).map(RecordedService.response)
        expect(test.admits(call.responses, for: expected), "the client got other responses")
    }

    private mutating func judgeHandlers() {
        let entries = service.record.all
        if let starts = test.startsHandler {
            expect(entries.count == (starts ? 1 : 0), "\(entries.count) handlers were started")
        }
        for entry in entries {
            expect(entry.end != nil || test.leavesServerAlone, "a handler runs on")
            guard entry.isFinished else { continue }
            let expected = (0..<test.kind.requests).map(RecordedService.request)
            expect(test.admits(entry.requests, for: expected), "the handler got other requests")
        }
        if test.cutsRequest { expect(!entries.contains(where: \.isFinished), "a handler took a part for the whole") }
        if test.fault.isHarmless { expect(entries.allSatisfy(\.isFinished), "the handler failed") }
    }

    // Whatever happened, the channel comes back; after a changed byte another one, for HPACK's tables may differ.
    private mutating func expectRecovery(_ channel: Channel, _ server: ActiveServer) {
        let second = test.fault == .corrupt ? connect().0 : channel
        let answer = call(second, deadline: Self.deadline)
        expect(answer?.code == .ok, "the next call: \(answer?.message ?? "")")
        if second !== channel { second.close() }
    }

    private mutating func close(_ channel: Channel, _ server: ActiveServer) {
        channel.close()
        // A server asks a silent client every two hours whether it is there.
        simulation.advance(by: .seconds(3 * 3600))
        let counts = server.counts
        expect(counts.connections == 0, "\(counts.connections) connections are left")
        expect(counts.handlers == 0, "\(counts.handlers) handlers are left")
        expect(service.record.all.allSatisfy { $0.end != nil }, "a handler did not end")
        server.stopNow()
        expect(simulation.settle() == .reached, "the server goes on")
    }
}

/// A result that a simulation's task leaves for the code that runs the simulation, on the same thread.
final class Slot<Value>: @unchecked Sendable {
    var value: Value?
}
