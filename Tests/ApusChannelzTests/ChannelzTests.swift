// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

@testable import ApusChannelz

@Suite struct ChannelzTests {
    @Test func `A server that listens is told with its connections`() async throws {
        let running = try Server(AdminServices.all()).start(on: .host("127.0.0.1", port: 0))
        let address = try #require(running.addresses.first)
        let channel = Channel(
            "channelz", interceptors: [], transport: PinnedTransport(address))
        let client = GRPCChannelz.Client(channel)
        let servers = try await client.getServers(GRPCGetServersRequest()).server
        let own = try #require(servers.first { $0.ref?.name == "\(address)" })
        let id = try #require(own.ref?.serverId)
        let sockets = try await client.getServerSockets(GRPCGetServerSocketsRequest(serverId: id))
        #expect(sockets.end)
        #expect(sockets.socketRef.count == 1)
        let socket = try #require(sockets.socketRef.first)
        let found = try await client.getSocket(GRPCGetSocketRequest(socketId: socket.socketId)).socket
        #expect(found?.data?.streamsStarted == 3)
        await running.stop()
        channel.close()
    }

    @Test func `Unknown ids are not found`() async throws {
        let running = try Server([Channelz()]).start(on: .host("127.0.0.1", port: 0))
        let address = try #require(running.addresses.first)
        let channel = Channel("channelz", interceptors: [], transport: PinnedTransport(address))
        let client = GRPCChannelz.Client(channel)
        await #expect {
            _ = try await client.getSocket(GRPCGetSocketRequest(socketId: .max))
        } throws: {
            ($0 as? RPCError)?.code == .notFound
        }
        await running.stop()
        channel.close()
    }
}

/// Sends every call to one address.
private final class PinnedTransport: ClientTransport {
    private let inner = HTTP2Transport()
    private let handle: EndpointHandle

    init(_ address: Endpoint.Address) { handle = EndpointHandle(Endpoint(address)) }

    func start(_ call: ClientCall) async throws -> ClientResponse {
        var call = call
        call.endpoint = handle
        return try await inner.start(call)
    }

    func close() { inner.close() }

    func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) { try inner.runBlocking(body) }
}
