// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

/// What all balancers do alike.
@Suite(.timeLimit(.minutes(10))) struct BalancerTests {
    private let script = ScriptedTransport()

    private func channel(_ balancer: AnyBalancer, _ candidates: Candidates?, _ extra: any ClientInterceptor...)
        -> Channel
    {
        let found = candidates.map { [FixedCandidates($0) as any ClientInterceptor] } ?? []
        return Channel(
            "users", interceptors: extra + found + [balancer.make(SplitMixRandom(seed: 7))], transport: script)
    }

    /// Says that calls failed at these endpoints already.
    private struct Avoiding: ClientInterceptor {
        let handles: [EndpointHandle]

        func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            var call = call
            for handle in handles { call.avoid(handle) }
            return try await next(call)
        }
    }

    @Test(arguments: AnyBalancer.all)
    func `no candidates is an error that says what to do`(_ balancer: AnyBalancer) async {
        for candidates in [nil, Candidates()] {
            let error = await #expect(throws: RPCError.self) { try await channel(balancer, candidates).ask() }
            #expect(error?.code == .unavailable)
            #expect(error?.progress == .notConnected)
            let what =
                candidates == nil
                ? "put Discovery in front of \(balancer.testDescription)" : "its list of instances is empty"
            #expect(error?.message == "no endpoint of 'users' is known: \(what)")
        }
        #expect(script.calls.isEmpty)
    }

    // One endpoint of each class, from the best to the worst, six times.
    private func mixed() -> (candidates: Candidates, classes: [[EndpointHandle]]) {
        let candidates = Candidates((0..<30).map { .local($0) })
        let classes = (0..<5).map { number in
            candidates.handles.enumerated().filter { $0.offset % 5 == number }.map(\.element)
        }
        for handle in classes[2] { handle.eject() }
        for handle in classes[3] { handle.connectivity = .transientFailure }
        for handle in classes[4] { handle.connectivity = .shutdown }
        return (candidates, classes)
    }

    @Test(arguments: AnyBalancer.all)
    func `the best class that has members gets all calls`(_ balancer: AnyBalancer) async throws {
        let (candidates, classes) = mixed()
        script.otherwise.reply()
        for best in 0..<5 {
            let left = Candidates(handles: classes[best...].flatMap(\.self))
            let channel = channel(balancer, left, Avoiding(handles: classes[1]))
            let before = script.calls.count
            for _ in 0..<100 { try await channel.ask() }
            for call in script.calls.dropFirst(before) {
                #expect(call.endpoint.map { classes[best].contains($0) } == true)
            }
        }
        #expect(script.calls.count == 500)
        #expect(candidates.handles.allSatisfy { $0.callsInFlight == 0 })
    }

    @Test(arguments: AnyBalancer.all)
    func `the only good one among ten thousand is found`(_ balancer: AnyBalancer) async throws {
        let candidates = Candidates((0..<10_000).map { .local($0) })
        for handle in candidates.handles { handle.connectivity = .transientFailure }
        let good = candidates.handles[4321]
        good.connectivity = .idle
        script.otherwise.reply()
        let channel = channel(balancer, candidates)
        for _ in 0..<20 { try await channel.ask() }
        #expect(script.calls.allSatisfy { $0.endpoint == good })
    }

    @Test(arguments: AnyBalancer.all)
    func `a pick among ten thousand draws as few numbers as one among ten`(_ balancer: AnyBalancer) async throws {
        script.otherwise.reply()
        for count in [10, 10_000] {
            let random = CountingRandom(seed: 3)
            let candidates = Candidates((0..<count).map { .local($0) })
            let channel = Channel(
                "users", interceptors: [FixedCandidates(candidates), balancer.make(random)], transport: script)
            // The table of this list is made.
            try await channel.ask()
            let before = random.count
            for _ in 0..<2000 { try await channel.ask() }
            #expect(random.count - before <= 2000 * 4)
        }
    }

    @Test(arguments: AnyBalancer.all)
    func `a call counts as in flight until its stream ends, and its error names the endpoint`(
        _ balancer: AnyBalancer
    ) async throws {
        let candidates = Candidates([.local(7)])
        let channel = channel(balancer, candidates)
        let responses = ScriptedResponses()
        script.expect { #expect($0.endpoint?.callsInFlight == 1) }.reply(responses)
        script.expect { #expect($0.endpoint?.callsInFlight == 1) }.fail(.internal)
        _ = try await channel.start(.serverStreaming, .one(MessageBytes([])))
        #expect(candidates.handles[0].callsInFlight == 1)
        responses.end()
        #expect(candidates.handles[0].callsInFlight == 0)
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.pickedHandle == candidates.handles[0])
        #expect(candidates.handles[0].callsInFlight == 0)
    }

    @Test(arguments: AnyBalancer.all)
    func `a channel that only connects asks for an endpoint, and sends nothing`(_ balancer: AnyBalancer) async throws {
        let candidates = Candidates([.local(1), .local(2)])
        let found = RoutedCandidates(candidates: candidates)
        let channel = Channel(
            "users", interceptors: [found, balancer.make(SplitMixRandom(seed: 1))], transport: script)
        try await channel.connect()
        #expect(script.connected.count == 1 && script.calls.isEmpty)
        #expect(candidates.handles.allSatisfy { $0.callsInFlight == 0 })
    }

    @Test(arguments: AnyBalancer.all)
    func `lists and states may change under the picks of many tasks`(_ balancer: AnyBalancer) async throws {
        let lists = [1, 3, 8].map { count in Candidates((0..<count).map { .local($0) }) }
        let random = SplitMixRandom(seed: 5)
        let chooser = balancer.make(random)
        script.otherwise.reply()
        let answered = Count()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                let channel = Channel(
                    "users", interceptors: [FixedCandidates(lists[task % 3]), chooser], transport: script)
                group.addTask {
                    for number in 0..<250 {
                        let handle = lists[task % 3].handles[0]
                        handle.connectivity = number.isMultiple(of: 2) ? .transientFailure : .ready
                        if (try? await channel.ask()) != nil { answered.add() }
                    }
                }
            }
        }
        #expect(answered.value == 1000)
        #expect(lists.flatMap(\.handles).allSatisfy { $0.callsInFlight == 0 })
    }

    @Test(arguments: AnyBalancer.all)
    func `over real connections calls are answered, also when a server is gone`(_ balancer: AnyBalancer) async throws {
        let asked = Count()
        let served: Served.Handler = { _ in
            asked.add()
            return "served"
        }
        // Nobody listens at the third address.
        let client: [any ClientInterceptor] = [
            Retry(.exponential(initial: .zero)), Served.endpoints(3), balancer.make(SplitMixRandom(seed: 1)),
        ]
        try await Served.run([served, served], client: client) { (channel) async throws in
            for _ in 0..<50 { #expect(try await channel.ask() == "served") }
        }
        #expect(asked.value == 50)
    }
}
