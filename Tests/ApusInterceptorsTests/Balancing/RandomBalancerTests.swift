// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct RandomBalancerTests {
    private func picks(
        of handles: [EndpointHandle], avoiding avoided: [EndpointHandle] = [], seed: UInt64
    ) -> Picks {
        let random = SplitMixRandom(seed: seed)
        return Picks(of: handles) { RandomPick.pick(from: handles, avoiding: avoided, random) }
    }

    @Test(arguments: 2...10)
    func `each of n live endpoints gets its share within chance`(count: Int) {
        #expect(picks(of: .good(count), seed: UInt64(count)).areUniform)
    }

    @Test func `picks are independent of the pick before`() {
        let three: [EndpointHandle] = .inStates([.ready, .idle, .connecting])
        let random = SplitMixRandom(seed: 5)
        var pairs = [Int](repeating: 0, count: 9)
        var last = 0
        for _ in 0..<90_000 {
            let index = three.firstIndex(of: RandomPick.pick(from: three, avoiding: [], random)) ?? 0
            pairs[last * 3 + index] += 1
            last = index
        }
        #expect(Picks(pairs).areUniform)
    }

    @Test func `endpoints that cannot be reached are skipped, and the others stay equally likely`() {
        let six: [EndpointHandle] = .inStates([
            .ready, .transientFailure, .idle, .shutdown, .connecting, .transientFailure,
        ])
        #expect(picks(of: six, seed: 1).follow([1, 0, 1, 0, 1, 0]))
    }

    @Test func `endpoints at which the call failed are avoided, and the others stay equally likely`() {
        let five: [EndpointHandle] = .good(5)
        #expect(picks(of: five, avoiding: [five[1], five[4]], seed: 2).follow([1, 0, 1, 1, 0]))
    }

    @Test func `a live endpoint at which the call failed is better than one that cannot be reached`() {
        let three: [EndpointHandle] = .inStates([.ready, .transientFailure, .ready])
        #expect(picks(of: three, avoiding: [three[0], three[2]], seed: 3).follow([1, 0, 1]))
    }

    @Test func `when none can be reached any is picked, but none that left`() {
        #expect(picks(of: .inStates([.transientFailure, .shutdown, .transientFailure]), seed: 4).follow([1, 0, 1]))
        #expect(picks(of: .inStates([.shutdown, .shutdown]), seed: 1).areUniform)
    }

    @Test func `an endpoint that changes its state under the draws is never a reason for no pick`() async {
        let four: [EndpointHandle] = .good(4)
        let changing = Task {
            let random = SplitMixRandom(seed: 9)
            while !Task.isCancelled {
                four[random.index(below: 4)].connectivity = random.index(below: 2) == 0 ? .ready : .transientFailure
                await Task.yield()
            }
        }
        #expect(picks(of: four, avoiding: [four[0]], seed: 6).total == 60_000)
        changing.cancel()
    }

    @Test func `a call counts as in flight until its stream ends, however it ends`() async throws {
        let candidates = Candidates([.local(1)])
        let script = ScriptedTransport()
        let observer = RecordingObserver()
        let channel = Channel(
            "users", interceptors: [FixedCandidates(candidates), RandomBalancer()], transport: script,
            observer: observer)
        let endings: [@Sendable (ScriptedResponses) -> Void] = [
            { $0.end() }, { $0.end(RPCError(.internal, "broken")) }, { $0.cancel() },
        ]
        for end in endings {
            let responses = ScriptedResponses()
            script.expect().reply(responses)
            _ = try await channel.start(.serverStreaming, .one(MessageBytes([])))
            #expect(candidates.handles[0].callsInFlight == 1)
            end(responses)
            end(responses)
            #expect(candidates.handles[0].callsInFlight == 0)
        }
        #expect(observer.picks == [EndpointHandle](repeating: candidates.handles[0], count: 3))
    }

    @Test func `a failed call is counted off and its error names the endpoint`() async throws {
        let script = ScriptedTransport()
        script.expect().run { call in
            #expect(call.endpoint?.callsInFlight == 1)
            throw RPCError(.unavailable, "no")
        }
        script.expect().run { _ in throw CancellationError() }
        let candidates = Candidates([.local(7)])
        let channel = Channel(
            "users", interceptors: [FixedCandidates(candidates), RandomBalancer()], transport: script)
        let first = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(first?.peer == .local(7))
        #expect(first?.pickedHandle == candidates.handles[0])
        let second = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(second?.code == .cancelled)
        #expect(candidates.handles[0].callsInFlight == 0)
    }
}
