// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

/// A load that a test sets.
private final class SetLoad: LoadSignal {
    let name: String
    private let value: Atomic<Int>
    private let reads = Atomic<Int>(0)

    init(_ name: String, _ percent: Int) {
        self.name = name
        value = Atomic(percent)
    }

    var timesRead: Int { reads.load(ordering: .relaxed) }
    func set(_ percent: Int) { value.store(percent, ordering: .relaxed) }
    func load() -> Double {
        reads.wrappingAdd(1, ordering: .relaxed)
        return Double(value.load(ordering: .relaxed)) / 100
    }
}

struct LoadSheddingTests {
    let clock = ManualClock()
    let head = ServerCallHead(method: .unary, metadata: Metadata(), peer: .memory("client"))

    private func refused(_ shedding: LoadShedding, of calls: Int) -> Int {
        (0..<calls).count { _ in (try? shedding.admit(head)) == nil }
    }

    @Test func `the share of refused calls grows from the threshold to all`() {
        let load = SetLoad("memory", 0)
        let shedding = LoadShedding([load], threshold: 0.8, random: SplitMixRandom(seed: 1), clock: clock)
        for (percent, expected) in [(0, 0...0), (80, 0...0), (90, 4775...5225), (100, 10_000...10_000)] {
            load.set(percent)
            clock.advance(by: .milliseconds(100))
            #expect(expected.contains(refused(shedding, of: 10_000)))
        }
    }

    @Test func `the highest signal counts and is named, and signals are read once in an interval`() {
        let (memory, lag) = (SetLoad("memory", 10), SetLoad("event-loop lag", 200))
        let shedding = LoadShedding([memory, lag], clock: clock)
        let error = #expect(throws: RPCError.self) { try shedding.admit(head) }
        #expect(error?.description == "RESOURCE_EXHAUSTED: the server is overloaded: event-loop lag")
        _ = refused(shedding, of: 100)
        #expect(memory.timesRead == 1)
    }

    @Test func `over ten thousand random steps the calls are refused that the last reading says`() {
        let (draws, random) = (SplitMixRandom(seed: 4), SplitMixRandom(seed: 5))
        let signals = [SetLoad("memory", 0), SetLoad("event-loop lag", 0)]
        var (loads, read, due, readings) = ([0, 0], [0, 0], clock.now, 0)
        let shedding = LoadShedding(signals, threshold: 0.6, random: SplitMixRandom(seed: 4), clock: clock)
        var (admitted, refused) = (0, 0)
        for _ in 0..<10_000 {
            clock.advance(by: .milliseconds(random.index(below: 30)))
            let index = random.index(below: 2)
            loads[index] = random.index(below: 120)
            signals[index].set(loads[index])
            if clock.now >= due {
                (read, due, readings) = (loads, clock.now.advanced(by: .milliseconds(100)), readings + 1)
            }
            let highest = max(read[0], read[1])
            let isRefused = highest > 60 && draws.unit() < Double(highest - 60) / 40
            do {
                try shedding.admit(head)
                #expect(!isRefused)
                admitted += 1
            } catch {
                #expect(isRefused && error.message.hasSuffix(read[1] > read[0] ? "event-loop lag" : "memory"))
                refused += 1
            }
        }
        #expect(signals.map(\.timesRead) == [readings, readings] && min(admitted, refused, readings) > 1000)
    }

    @Test func `loads that are no numbers do not trap`() {
        for load in [Double.nan, .infinity, -.infinity, -1, 1e300] {
            let share = SheddingRule.share(of: load, threshold: .nan)
            #expect(share >= 0 && share <= 1 || share.isNaN)
        }
    }

    @Test func `over real connections an overloaded server refuses calls at their headers`() async throws {
        let (load, counter) = (SetLoad("memory", 0), CallCounter())
        let shedding = LoadShedding([load], clock: clock)
        try await Served.run(
            [{ _ in "served" }], client: [Served.endpoints(1), RandomBalancer()], server: [counter, shedding]
        ) { channel in
            try await channel.ask()
            load.set(100)
            clock.advance(by: .seconds(1))
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .resourceExhausted)
            #expect(counter.count == 1)
        }
    }
}
