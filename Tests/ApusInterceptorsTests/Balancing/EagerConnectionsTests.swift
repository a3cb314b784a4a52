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

    /// The list that calls get now.
    private final class Lists: RoutingInterceptor {
        let list: Mutex<Candidates>
        init(_ list: Candidates) { self.list = Mutex(list) }

        func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
            call.candidates = list.withLock { $0 }
            return try await next(call)
        }
    }

    private let transport = Connecting()

    private func channel(_ lists: Lists, _ eager: EagerConnections = EagerConnections()) -> Channel {
        Channel("s", interceptors: [lists, eager, RandomBalancer()], transport: transport)
    }

    @Test func `a list is connected once, by the first call that meets it, and what is new with the next`() async throws
    {
        let first = Candidates((1..<4).map { Endpoint.local($0) })
        let lists = Lists(first)
        let channel = channel(lists)
        #expect(transport.asked.isEmpty)
        for _ in 0..<10 { try await channel.ask() }
        #expect(transport.asked == first.handles)
        for handle in first.handles { handle.connectivity = .connecting }
        let second = first.updated(to: (2..<6).map { Endpoint.local($0) }).candidates
        lists.list.withLock { $0 = second }
        for _ in 0..<10 { try await channel.ask() }
        #expect(transport.asked == first.handles + second.handles.suffix(2))
    }

    @Test func `connecting the channel connects all`() async throws {
        let list = Candidates((1..<4).map { Endpoint.local($0) })
        try await channel(Lists(list)).connect()
        #expect(Set(transport.asked) == Set(list.handles))
    }

    @Test(arguments: [-1, 0, 2, 1000])
    func `of long lists so many are connected`(_ limit: Int) async throws {
        let list = Candidates((0..<500).map { Endpoint.local($0 + 1) })
        try await channel(Lists(list), EagerConnections(limit: limit)).ask()
        #expect(transport.asked == Array(list.handles.prefix(max(0, limit))))
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
