// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct EagerConnectionsTests {
    /// Answers calls, and notes to which ports it was asked to connect.
    private final class Connecting: ClientTransport {
        private let ports = Mutex<[EndpointHandle]>([])
        var asked: [EndpointHandle] { ports.withLock { $0 } }

        func start(_ call: consuming ClientCall) async throws -> ClientResponse {
            ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }

        func connect(to endpoint: EndpointHandle) throws(RPCError) { ports.withLock { $0.append(endpoint) } }
        func close() {}
        func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) {
            throw RPCError(.unimplemented, "no calls of threads")
        }
    }

    private let transport = Connecting()

    private func channel(_ lists: ChangingList, _ eager: EagerConnections = EagerConnections()) -> Channel {
        Channel("s", interceptors: [lists, eager, RandomBalancer()], transport: transport)
    }

    @Test func `a list is connected once, by the first call that meets it, and what is new with the next`() async throws
    {
        let first = Candidates((1..<4).map { Endpoint.local($0) })
        let lists = ChangingList(first)
        let channel = channel(lists)
        #expect(transport.asked.isEmpty)
        for _ in 0..<10 { try await channel.ask() }
        #expect(transport.asked == first.handles)
        for handle in first.handles { handle.connectivity = .connecting }
        let second = first.updated(to: (2..<6).map { Endpoint.local($0) }).candidates
        lists.change(to: second)
        for _ in 0..<10 { try await channel.ask() }
        #expect(transport.asked == first.handles + second.handles.suffix(2))
    }

    @Test func `connecting the channel connects all`() async throws {
        let list = Candidates((1..<4).map { Endpoint.local($0) })
        try await channel(ChangingList(list)).connect()
        #expect(Set(transport.asked) == Set(list.handles))
    }

    @Test(arguments: [-1, 0, 2, 1000])
    func `of long lists so many are connected`(_ limit: Int) async throws {
        let list = Candidates((0..<500).map { Endpoint.local($0 + 1) })
        try await channel(ChangingList(list), EagerConnections(limit: limit)).ask()
        #expect(transport.asked == Array(list.handles.prefix(max(0, limit))))
    }

    @Test func `over ten thousand random steps those are connected that are in front of a new list, and idle`()
        async throws
    {
        let random = SplitMixRandom(seed: 17)
        var list = Candidates((0..<8).map { .local($0 + 1) })
        let lists = ChangingList(list)
        let channel = channel(lists, EagerConnections(limit: 5))
        var (expected, isNew, changes) = ([EndpointHandle](), true, 0)
        for _ in 0..<10_000 {
            switch random.index(below: 4) {
            case 0:
                let ports = (1..<12).filter { _ in random.index(below: 3) > 0 }
                list = list.updated(to: ports.map { .local($0) }).candidates
                lists.change(to: list)
                (isNew, changes) = (true, changes + 1)
            case 1:
                guard !list.handles.isEmpty else { continue }
                let states: [ConnectivityState] = [.idle, .idle, .connecting, .ready, .transientFailure]
                list.handles[random.index(below: list.handles.count)].connectivity = states[random.index(below: 5)]
            default:
                if isNew { expected += list.handles.prefix(5).filter { $0.connectivity == .idle } }
                isNew = false
                _ = try? await channel.ask()
                #expect(transport.asked.count == expected.count)
            }
        }
        #expect(transport.asked == expected && expected.count > changes)
    }

    @Test func `over real connections each server has one before it has a call`() async throws {
        let candidates = Served.endpoints(3)
        let servers = (0..<3).map { number -> Served.Handler in { _ in "\(number)" } }
        try await Served.run(servers, client: [candidates, EagerConnections(), PickFirst()]) { channel in
            let answer = try await channel.ask()
            #expect(answer == "0")
            while candidates.candidates.handles.contains(where: { $0.connectivity != .ready }) { await Task.yield() }
        }
    }
}
