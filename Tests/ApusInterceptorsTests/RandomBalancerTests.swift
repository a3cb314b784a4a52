// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct RandomBalancerTests {
    private func handles(_ states: [ConnectivityState]) -> [EndpointHandle] {
        states.enumerated().map { index, state in
            let handle = EndpointHandle(.local(index))
            handle.connectivity = state
            return handle
        }
    }

    private func share(
        of handles: [EndpointHandle], avoiding avoided: [EndpointHandle] = [], seed: UInt64, draws: Int = 60_000
    ) -> [Int] {
        let random = SplitMixRandom(seed: seed)
        var counts = [Int](repeating: 0, count: handles.count)
        for _ in 0..<draws {
            guard let pick = RandomPick.pick(from: handles, avoiding: avoided, random),
                let index = handles.firstIndex(of: pick)
            else { continue }
            counts[index] += 1
        }
        return counts
    }

    // Upper 1e-6 quantiles of the chi-square distribution for 1…9 degrees of freedom.
    private static let limits = [23.93, 27.63, 30.66, 33.38, 35.89, 38.26, 40.52, 42.70, 44.81]

    private func isUniform(_ counts: [Int]) -> Bool {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        return chiSquare < Self.limits[counts.count - 2]
    }

    @Test(arguments: 2...10)
    func `each of n live endpoints gets its share within chance`(count: Int) {
        let counts = share(of: handles([ConnectivityState](repeating: .ready, count: count)), seed: UInt64(count))
        #expect(counts.reduce(0, +) == 60_000)
        #expect(isUniform(counts))
    }

    @Test func `picks are independent of the pick before`() {
        let three = handles([.ready, .idle, .connecting])
        let random = SplitMixRandom(seed: 5)
        var pairs = [Int](repeating: 0, count: 9)
        var last = 0
        for _ in 0..<90_000 {
            guard let pick = RandomPick.pick(from: three, avoiding: [], random),
                let index = three.firstIndex(of: pick)
            else { continue }
            pairs[last * 3 + index] += 1
            last = index
        }
        #expect(isUniform(pairs))
    }

    @Test func `endpoints that cannot be reached are skipped, and the others stay equally likely`() {
        let six = handles([.ready, .transientFailure, .idle, .shutdown, .connecting, .transientFailure])
        let counts = share(of: six, seed: 1)
        #expect([1, 3, 5].allSatisfy { counts[$0] == 0 })
        #expect(isUniform([counts[0], counts[2], counts[4]]))
    }

    @Test func `endpoints at which the call failed are avoided, and the others stay equally likely`() {
        let five = handles([ConnectivityState](repeating: .ready, count: 5))
        let counts = share(of: five, avoiding: [five[1], five[4]], seed: 2)
        #expect(counts[1] == 0 && counts[4] == 0)
        #expect(isUniform([counts[0], counts[2], counts[3]]))
    }

    @Test func `a live endpoint at which the call failed is better than one that cannot be reached`() {
        let three = handles([.ready, .transientFailure, .ready])
        let counts = share(of: three, avoiding: [three[0], three[2]], seed: 3)
        #expect(counts[1] == 0)
        #expect(isUniform([counts[0], counts[2]]))
    }

    @Test func `when none can be reached any is picked, but none that left`() {
        let three = handles([.transientFailure, .shutdown, .transientFailure])
        let counts = share(of: three, seed: 4)
        #expect(counts[1] == 0)
        #expect(isUniform([counts[0], counts[2]]))
        #expect(RandomPick.pick(from: handles([.shutdown]), avoiding: [], SplitMixRandom(seed: 1)) != nil)
    }

    @Test func `an endpoint that changes its state under the draws is never a reason for no pick`() async {
        let four = handles([ConnectivityState](repeating: .ready, count: 4))
        let changing = Task {
            let random = SplitMixRandom(seed: 9)
            while !Task.isCancelled {
                four[random.index(below: 4)].connectivity = random.index(below: 2) == 0 ? .ready : .transientFailure
                await Task.yield()
            }
        }
        #expect(share(of: four, avoiding: [four[0]], seed: 6).reduce(0, +) == 60_000)
        changing.cancel()
    }

    @Test func `no candidates is an error that says what to do`() async {
        let script = ScriptedTransport()
        let empty = Channel(
            "users", interceptors: [FixedCandidates(Candidates()), RandomBalancer()], transport: script)
        let missing = Channel("users", interceptors: [RandomBalancer()], transport: script)
        for channel in [empty, missing] {
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .unavailable)
            #expect(error?.progress == .notConnected)
            #expect(error?.message.hasPrefix("no endpoint of 'users' is known") == true)
        }
        #expect(script.calls.isEmpty)
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
