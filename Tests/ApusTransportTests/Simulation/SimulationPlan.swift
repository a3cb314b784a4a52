// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What happens in one simulated world, all of it drawn from a seed beforehand.
struct SimulationPlan: Sendable {
    /// A call with what its client and its handler will do.
    struct Call: Sendable {
        var id = 0
        var kind = CallKind.unary
        var start = Duration.zero
        /// The sizes of the messages.
        var requests: [Int] = []
        var responses: [Int] = []
        var deadline: Duration?
        var cancelAfter: Duration?
        /// The client drops the responses after so many.
        var readsOnly: Int?
        var waitsForReady = false
        /// The handler fails when it has done its work.
        var fails = false
        /// The handler does not notice that its call is over.
        var isStubborn = false
        var handlerPause = Duration.zero
        var clientPause = Duration.zero
    }

    enum Upheaval: Sendable {
        /// A server stops gracefully, and another one takes its place.
        case replace
        /// A server stops at once and comes back after a while.
        case crash(Duration)
        /// A connection breaks.
        case breakConnection
    }

    static let servers = ["a", "b"]

    let seed: UInt64
    /// Nothing goes wrong: then no call may fail but by its own deadline, cancellation or handler.
    let isCalm: Bool
    let retries: Bool
    let calls: [Call]
    let upheavals: [(at: Duration, server: String, what: Upheaval)]
    let concurrentStreams: Int
    let connectionWindow: Int
    let connectionAge: Duration?
    let connectionAgeGrace: Duration?
    let idleTimeout: Duration?

    init(seed: UInt64) {
        let dice = Dice(SplitMixRandom(seed: seed))
        self.seed = seed
        let isCalm = dice.chance(8)
        self.isCalm = isCalm
        retries = dice.chance(2)
        concurrentStreams = dice.one(of: [1, 2, 5, 100])
        connectionWindow = dice.one(of: [64 << 10, 256 << 10, 4 << 20])
        connectionAge = dice.chance(2) ? dice.milliseconds(50..<1000) : nil
        connectionAgeGrace = isCalm || dice.chance(2) ? nil : dice.milliseconds(10..<500)
        idleTimeout = dice.chance(2) ? dice.milliseconds(5..<300) : nil
        calls = (0..<dice.number(5..<25)).map { Self.call($0, dice, isCalm: isCalm) }
        upheavals = (0..<(isCalm ? 0 : dice.number(0..<4))).map { _ in
            (dice.milliseconds(0..<800), dice.one(of: Self.servers), Self.upheaval(dice))
        }
    }

    private static func call(_ id: Int, _ dice: Dice, isCalm: Bool) -> Call {
        var call = Call()
        call.id = id
        call.kind = dice.one(of: CallKind.allCases)
        call.start = dice.milliseconds(0..<600)
        let streams = (call.kind.requests > 1, call.kind.responses > 1)
        call.requests = (0..<(streams.0 ? dice.number(0..<8) : 1)).map { _ in size(dice) }
        call.responses = (0..<(streams.1 ? dice.number(0..<8) : 1)).map { _ in size(dice) }
        if dice.chance(2) { call.deadline = dice.milliseconds(1..<800) }
        if dice.chance(6) { call.cancelAfter = dice.milliseconds(0..<300) }
        if streams.1, dice.chance(8) { call.readsOnly = dice.number(0..<4) }
        call.waitsForReady = dice.chance(3)
        call.fails = dice.chance(8)
        call.isStubborn = !isCalm && dice.chance(8)
        if dice.chance(2) { call.handlerPause = dice.milliseconds(0..<60) }
        if dice.chance(3) { call.clientPause = dice.milliseconds(0..<60) }
        return call
    }

    private static func size(_ dice: Dice) -> Int {
        switch dice.number(0..<20) {
        case 0: dice.number(100_000..<Message.largest)
        case 1, 2: dice.number(10_000..<80_000)
        case 3..<10: dice.number(100..<5000)
        default: Message.smallest
        }
    }

    private static func upheaval(_ dice: Dice) -> Upheaval {
        switch dice.number(0..<3) {
        case 0: .replace
        case 1: .crash(dice.milliseconds(0..<400))
        default: .breakConnection
        }
    }

    /// A message of a call: its bytes say which, and an altered one is found out.
    struct Message: Equatable {
        static let smallest = 8
        static let largest = 200_000

        var call: Int
        var index: Int
        /// The handler that sent it; 0 for requests.
        var handler: Int

        func bytes(_ size: Int) -> MessageBytes {
            var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: call &* 31 &+ index), count: size)
            for (offset, number) in [call, index, handler].enumerated() {
                bytes[2 * offset] = UInt8(truncatingIfNeeded: number >> 8)
                bytes[2 * offset + 1] = UInt8(truncatingIfNeeded: number)
            }
            return MessageBytes(bytes)
        }

        init(call: Int, index: Int, handler: Int) {
            (self.call, self.index, self.handler) = (call, index, handler)
        }

        /// nil when the bytes were altered.
        init?(_ message: MessageBytes) {
            let numbers = message.withUnsafeBytes { bytes -> [Int]? in
                guard bytes.count >= Self.smallest else { return nil }
                let numbers = (0..<3).map { Int(bytes[2 * $0]) << 8 | Int(bytes[2 * $0 + 1]) }
                let fill = UInt8(truncatingIfNeeded: numbers[0] &* 31 &+ numbers[1])
                // Every hundredth byte: the others would only cost time.
                let samples = stride(from: 6, to: bytes.count, by: 101)
                return samples.allSatisfy { bytes[$0] == fill } && bytes[bytes.count - 1] == fill ? numbers : nil
            }
            guard let numbers else { return nil }
            self.init(call: numbers[0], index: numbers[1], handler: numbers[2])
        }
    }
}

/// Draws from a random source.
struct Dice: Sendable {
    let random: any RandomSource

    init(_ random: any RandomSource) { self.random = random }

    /// True once in `count` throws.
    func chance(_ count: Int) -> Bool { random.index(below: count) == 0 }
    func number(_ range: Range<Int>) -> Int { range.lowerBound + random.index(below: range.count) }
    func one<T>(of all: [T]) -> T { all[random.index(below: all.count)] }
    func milliseconds(_ range: Range<Int>) -> Duration { .microseconds(number(range) * 1000 + number(0..<1000)) }
}
