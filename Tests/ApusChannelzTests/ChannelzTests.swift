// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import ApusTransport
import Testing

@testable import ApusChannelz

/// What other tests of the process have open is told as well: each test looks for its own.
@Suite(.timeLimit(.minutes(5))) struct ChannelzTests {
    private struct Answering: Service {
        var routes: [Route] {
            [
                Route(.unary) { call in
                    if call.metadata["fail"] != nil { throw RPCError(.notFound, "no") }
                    return ServerResponse(message: MessageBytes("yes".utf8))
                }
            ]
        }
    }

    /// Runs `body` with a client of the service, which a server of its own serves.
    private func asking(_ body: (GRPCChannelz.Client) async throws -> Void) async throws {
        let admin = try Server(AdminServices.all()).start(on: .host("127.0.0.1", port: 0))
        let address = try #require(admin.addresses.first)
        let channel = Channel("channelz", interceptors: [PinnedEndpoint(Endpoint(address))])
        try await body(GRPCChannelz.Client(channel))
        channel.close()
        await admin.stop(grace: .seconds(10))
    }

    private func channel(_ target: String, _ client: GRPCChannelz.Client) async throws -> GRPCChannel? {
        var start: Int64 = 0
        while true {
            let page = try await client.getTopChannels(GRPCGetTopChannelsRequest(startChannelId: start, maxResults: 2))
            #expect(page.channel.count <= 2)
            if let found = page.channel.first(where: { $0.data?.target == target }) { return found }
            guard !page.end, let last = page.channel.last?.ref?.channelId else { return nil }
            start = last + 1
        }
    }

    private func server(_ name: String, _ client: GRPCChannelz.Client) async throws -> GRPCServer? {
        var start: Int64 = 0
        while true {
            let page = try await client.getServers(GRPCGetServersRequest(startServerId: start, maxResults: 1))
            if let found = page.server.first(where: { $0.ref?.name == name }) { return found }
            guard !page.end, let last = page.server.last?.ref?.serverId else { return nil }
            start = last + 1
        }
    }

    @Test func `a channel is found with its subchannel, its socket and what became of its calls`() async throws {
        let running = try Server([Answering()]).start(on: .host("127.0.0.1", port: 0))
        guard case .host(_, let port) = try #require(running.addresses.first) else { return }
        let name = "watched-\(port)"
        let calls = Channel(name, interceptors: [PinnedEndpoint(Endpoint(host: "127.0.0.1", port: port))])
        for _ in 0..<3 { try await calls.ask() }
        for _ in 0..<2 {
            await #expect(throws: RPCError.self) {
                try await calls.start(.unary, .one(MessageBytes([])), options: CallOptions(metadata: ["fail": "1"]))
            }
        }
        try await asking { client in
            let found = try #require(try await channel(name, client))
            #expect(found.ref?.name == name)
            let id = try #require(found.ref?.channelId)
            // Its last stream may be open for a moment after its call has ended.
            var data = found.data
            while data?.callsSucceeded != 3 {
                await Task.yield()
                data = try await client.getChannel(GRPCGetChannelRequest(channelId: id)).channel?.data
            }
            #expect(data?.callsStarted == 5 && data?.callsFailed == 2)
            #expect(data?.state?.state == .ready)
            var sockets: [Int64] = []
            for ref in found.subchannelRef {
                let request = GRPCGetSubchannelRequest(subchannelId: ref.subchannelId)
                let subchannel = try await client.getSubchannel(request).subchannel
                #expect(subchannel?.data?.target == "127.0.0.1:\(port)")
                sockets += (subchannel?.socketRef ?? []).map(\.socketId)
            }
            #expect(sockets.count == 1)
            let socket = try await client.getSocket(GRPCGetSocketRequest(socketId: sockets[0])).socket
            let address = GRPCAddress.TcpIpAddress(ipAddress: [127, 0, 0, 1], port: Int32(port))
            #expect(socket?.remote?.address == .tcpipAddress(address))
            #expect(socket?.data?.streamsStarted == 5 && socket?.data?.streamsFailed == 0)
            guard case .tcpipAddress(let local)? = socket?.local?.address else {
                Issue.record("no local address in \(String(describing: socket))")
                return
            }
            #expect(local.ipAddress == [127, 0, 0, 1] && local.port > 0 && local.port != Int32(port))
            #expect(socket?.security == nil)
            calls.close()
            #expect(try await channel(name, client) == nil)
        }
        await running.stop(grace: .seconds(10))
    }

    @Test func `a server is found with its sockets and what became of its calls, until it has stopped`() async throws {
        let running = try Server([Answering()]).start(on: .host("127.0.0.1", port: 0))
        let address = try #require(running.addresses.first)
        let calls = Channel("calls", interceptors: [PinnedEndpoint(Endpoint(address))])
        for _ in 0..<3 { try await calls.ask() }
        await #expect(throws: RPCError.self) {
            try await calls.start(.unary, .one(MessageBytes([])), options: CallOptions(metadata: ["fail": "1"]))
        }
        try await asking { client in
            let id = try #require(try await server("\(address)", client)?.ref?.serverId)
            let data = try await client.getServer(GRPCGetServerRequest(serverId: id)).server?.data
            #expect(data?.callsStarted == 4 && data?.callsFailed == 1 && data?.callsSucceeded == 3)
            let sockets = try await client.getServerSockets(GRPCGetServerSocketsRequest(serverId: id))
            #expect(sockets.end && sockets.socketRef.count == 1)
            let socketID = try #require(sockets.socketRef.first?.socketId)
            let socket = try await client.getSocket(GRPCGetSocketRequest(socketId: socketID)).socket
            #expect(socket?.data?.streamsStarted == 4 && socket?.data?.streamsFailed == 0)
            calls.close()
            await running.stop(grace: .seconds(10))
            #expect(try await server("\(address)", client) == nil)
            await notFound { _ = try await client.getServer(GRPCGetServerRequest(serverId: id)) }
            await notFound { _ = try await client.getSocket(GRPCGetSocketRequest(socketId: socketID)) }
        }
    }

    @Test func `the socket of an encrypted connection has its cipher suite and the certificates of both sides`()
        async throws
    {
        let authority = try TLSTestAuthority()
        var (serving, calling) = (ServerOptions(), TransportOptions())
        serving.tls = ServerTLS(try authority.issue(ip: ["127.0.0.1"]), clients: .required(authority.roots))
        calling.tls = ClientTLS(roots: authority.roots, certificate: try authority.issue(commonName: "caller"))
        let running = try Server([Answering()]).start(on: .host("127.0.0.1", port: 0), options: serving)
        let address = try #require(running.addresses.first)
        let calls = Channel("secure-\(address)", interceptors: [PinnedEndpoint(Endpoint(address))], options: calling)
        try await calls.ask()
        try await asking { client in
            let id = try #require(try await server("\(address)", client)?.ref?.serverId)
            let served = try await client.getServerSockets(GRPCGetServerSocketsRequest(serverId: id)).socketRef
            let found = try #require(try await channel("secure-\(address)", client))
            let ways = GRPCGetSubchannelRequest(subchannelId: try #require(found.subchannelRef.first).subchannelId)
            let called = try await client.getSubchannel(ways).subchannel?.socketRef ?? []
            var sides: [GRPCSecurity.Tls] = []
            for ref in served + called {
                let socket = try await client.getSocket(GRPCGetSocketRequest(socketId: ref.socketId)).socket
                if case .tls(let tls)? = socket?.security?.model { sides.append(tls) }
            }
            #expect(sides.count == 2)
            let (server, caller) = (try #require(sides.first), try #require(sides.last))
            guard case .standardName(let suite)? = server.cipherSuite else {
                Issue.record("no cipher suite in \(server)")
                return
            }
            #expect(suite.hasPrefix("TLS_") && caller.cipherSuite == server.cipherSuite)
            // DER begins with a sequence.
            #expect(server.localCertificate.first == 0x30 && caller.localCertificate.first == 0x30)
            #expect(server.localCertificate == caller.remoteCertificate)
            #expect(caller.localCertificate == server.remoteCertificate)
        }
        calls.close()
        await running.stop(grace: .seconds(10))
    }

    private func notFound(_ body: () async throws -> Void) async { await fails(.notFound, body) }

    private func fails(_ code: Status.Code, _ body: () async throws -> Void) async {
        let error = await #expect(throws: RPCError.self) { try await body() }
        #expect(error?.code == code)
    }

    @Test func `what is not there is not found, and negative numbers are refused`() async throws {
        try await asking { client in
            for (id, code) in [(Int64.max, Status.Code.notFound), (-1, .invalidArgument)] {
                await fails(code) { _ = try await client.getChannel(GRPCGetChannelRequest(channelId: id)) }
                await fails(code) { _ = try await client.getSubchannel(GRPCGetSubchannelRequest(subchannelId: id)) }
                await fails(code) { _ = try await client.getServer(GRPCGetServerRequest(serverId: id)) }
                await fails(code) { _ = try await client.getSocket(GRPCGetSocketRequest(socketId: id)) }
                await fails(code) { _ = try await client.getServerSockets(GRPCGetServerSocketsRequest(serverId: id)) }
            }
            await fails(.invalidArgument) { _ = try await client.getServers(GRPCGetServersRequest(maxResults: -1)) }
            await fails(.invalidArgument) {
                _ = try await client.getTopChannels(GRPCGetTopChannelsRequest(startChannelId: -1))
            }
        }
    }
}
