// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

/// The methods of ``Channelz``.
struct ChannelzHandler: GRPCChannelz.Handler {
    private let inventory: Inventory

    init(_ inventory: Inventory) { self.inventory = inventory }

    func getTopChannels(
        _ request: GRPCGetTopChannelsRequest, call: ServerCall
    ) async throws -> GRPCGetTopChannelsResponse {
        let all = inventory.channels
        let page = try Page(of: all.keys, from: request.startChannelId, length: request.maxResults)
        var channels: [GRPCChannel] = []
        for id in page.ids { if let channel = all[id] { channels.append(await GRPCChannel(channel)) } }
        return GRPCGetTopChannelsResponse(channel: channels, end: page.isLast)
    }

    func getServers(_ request: GRPCGetServersRequest, call: ServerCall) async throws -> GRPCGetServersResponse {
        let all = inventory.servers
        let page = try Page(of: all.keys, from: request.startServerId, length: request.maxResults)
        let servers = page.ids.compactMap { id in all[id].map { GRPCServer(id, $0) } }
        return GRPCGetServersResponse(server: servers, end: page.isLast)
    }

    func getServer(_ request: GRPCGetServerRequest, call: ServerCall) async throws -> GRPCGetServerResponse {
        GRPCGetServerResponse(server: GRPCServer(request.serverId, try server(request.serverId)))
    }

    func getServerSockets(
        _ request: GRPCGetServerSocketsRequest, call: ServerCall
    ) async throws -> GRPCGetServerSocketsResponse {
        let all = try server(request.serverId).connectionIDs
        let page = try Page(of: all, from: request.startSocketId, length: request.maxResults)
        return GRPCGetServerSocketsResponse(
            socketRef: page.ids.map { GRPCSocketRef(socketId: $0) }, end: page.isLast)
    }

    func getChannel(_ request: GRPCGetChannelRequest, call: ServerCall) async throws -> GRPCGetChannelResponse {
        let id = try Self.checked(request.channelId)
        guard let channel = inventory.channels[id] else { throw Self.unknown("channel", id) }
        return GRPCGetChannelResponse(channel: await GRPCChannel(channel))
    }

    func getSubchannel(
        _ request: GRPCGetSubchannelRequest, call: ServerCall
    ) async throws -> GRPCGetSubchannelResponse {
        let id = try Self.checked(request.subchannelId)
        for channel in inventory.channels.values {
            guard let way = await channel.ways().first(where: { $0.id == id }) else { continue }
            return GRPCGetSubchannelResponse(subchannel: GRPCSubchannel(way))
        }
        throw Self.unknown("subchannel", id)
    }

    func getSocket(_ request: GRPCGetSocketRequest, call: ServerCall) async throws -> GRPCGetSocketResponse {
        let id = try Self.checked(request.socketId)
        for server in inventory.servers.values {
            guard let connection = try await server.connection(id) else { continue }
            return GRPCGetSocketResponse(socket: GRPCSocket(connection))
        }
        for channel in inventory.channels.values {
            for way in await channel.ways() {
                guard let connection = way.connections.first(where: { $0.id == id }) else { continue }
                return GRPCGetSocketResponse(socket: GRPCSocket(connection))
            }
        }
        throw Self.unknown("socket", id)
    }

    private func server(_ id: Int64) throws(RPCError) -> ServerInspection {
        guard let server = inventory.servers[try Self.checked(id)] else { throw Self.unknown("server", id) }
        return server
    }

    private static func checked(_ id: Int64) throws(RPCError) -> Int64 {
        guard id >= 0 else { throw RPCError(.invalidArgument, "an id is negative: \(id)") }
        return id
    }

    private static func unknown(_ kind: String, _ id: Int64) -> RPCError {
        RPCError(.notFound, "there is no \(kind) \(id)")
    }
}
