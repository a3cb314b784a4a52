// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

@Suite(.timeLimit(.minutes(10))) struct MirrorRuleTests {
    @Test(arguments: [
        (0.3, 2720...3280), (0, 0...0), (-1, 0...0), (.nan, 0...0), (1, 10_000...10_000), (7, 10_000...10_000),
    ])
    func `over ten thousand calls the share that is copied is the one asked for`(
        _ share: Double, _ copied: ClosedRange<Int>
    ) {
        let random = SplitMixRandom(seed: 12)
        let rule = MirrorRule(share: share, maximumRunning: 1)
        #expect(copied.contains((0..<10_000).count { _ in rule.draws(.one(MessageBytes([])), random) }))
    }

    @Test func `a streamed request is not copied, and takes no draw from the others`() {
        let (random, unused) = (SplitMixRandom(seed: 12), SplitMixRandom(seed: 12))
        #expect(!MirrorRule(share: 1, maximumRunning: 1).draws(.stream(MessagePipe()), random))
        #expect(!MirrorRule(share: 0.5, maximumRunning: 1).draws(.stream(MessagePipe()), random))
        #expect(random.next() == unused.next())
    }

    @Test(arguments: [-1, 0, 1, 5])
    func `over ten thousand random steps so many copies are under way as a plain count says`(_ limit: Int) async throws
    {
        let (script, shadowScript) = (ScriptedTransport(), ScriptedTransport())
        let gates = (0..<10_000).map { _ in Gate() }
        script.otherwise.reply("real")
        shadowScript.otherwise.run { call in
            if let number = call.metadata["number"].flatMap(Int.init) { await gates[number].wait() }
            throw RPCError(.internal, "nobody reads this")
        }
        let draws = SplitMixRandom(seed: 3)
        let mirror = Mirror(
            to: Channel("shadow", interceptors: [], transport: shadowScript), share: 0.4, maximumRunning: limit,
            random: SplitMixRandom(seed: 3))
        let channel = Channel("users", interceptors: [mirror], transport: script)
        let random = SplitMixRandom(seed: 4)
        var (running, copied) = ([Int](), 0)
        for step in 0..<10_000 {
            if random.index(below: 3) > 0 {
                try await channel.ask(CallOptions(metadata: ["number": "\(step)"]))
                if draws.unit() < 0.4, running.count < limit {
                    running.append(step)
                    copied += 1
                }
            } else if !running.isEmpty {
                gates[running.remove(at: random.index(below: running.count))].open()
                while mirror.running != running.count { await Task.yield() }
            }
            #expect(mirror.running == running.count)
        }
        for number in running { gates[number].open() }
        while mirror.running > 0 { await Task.yield() }
        #expect(shadowScript.calls.count == copied && (copied > 1000) == (limit > 0))
    }
}
