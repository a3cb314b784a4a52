// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

// What the process knows, in the words of the protocol.

extension GRPCServer {
    init(_ id: Int64, _ server: ServerInspection) {
        var data = GRPCServerData()
        let calls = server.calls
        data.callsStarted = calls.started
        data.callsSucceeded = calls.succeeded
        data.callsFailed = calls.failed
        let name = server.addresses.map { "\($0)" }.joined(separator: ", ")
        self.init(ref: GRPCServerRef(serverId: id, name: name), data: data)
    }
}

extension GRPCChannel {
    init(_ channel: ChannelInspection) async {
        let ways = await channel.ways()
        var data = GRPCChannelData(ways.map(\.calls).reduce(CallCounts(), +))
        data.state = GRPCChannelConnectivityState(channel.state)
        data.target = channel.target
        self.init(
            ref: GRPCChannelRef(channelId: channel.id, name: channel.target), data: data,
            subchannelRef: ways.map { GRPCSubchannelRef(subchannelId: $0.id, name: "\($0.address)") })
    }
}

extension GRPCChannelData {
    init(_ calls: CallCounts) {
        self.init(callsStarted: calls.started, callsSucceeded: calls.succeeded, callsFailed: calls.failed)
    }
}

extension GRPCSubchannel {
    init(_ way: ChannelInspection.Way) {
        var data = GRPCChannelData(way.calls)
        data.state = GRPCChannelConnectivityState(way.state)
        data.target = "\(way.address)"
        self.init(
            ref: GRPCSubchannelRef(subchannelId: way.id, name: data.target), data: data,
            socketRef: way.connections.map { GRPCSocketRef(socketId: $0.id) })
    }
}

extension GRPCSocket {
    init(_ connection: ConnectionInspection) {
        var data = GRPCSocketData()
        data.streamsStarted = connection.streams.started
        data.streamsSucceeded = connection.streams.succeeded
        data.streamsFailed = connection.streams.failed
        data.keepAlivesSent = connection.keepalivesSent
        self.init(
            ref: GRPCSocketRef(socketId: connection.id), data: data, local: connection.local.map { GRPCAddress($0) },
            remote: GRPCAddress(connection.peer), security: connection.security.map { GRPCSecurity($0) })
    }
}

extension GRPCSecurity {
    init(_ security: ConnectionSecurity) {
        self.init(
            model: .tls(
                Tls(
                    cipherSuite: .standardName(security.cipherSuite), localCertificate: security.localCertificate,
                    remoteCertificate: security.remoteCertificate)))
    }
}

extension GRPCAddress {
    init(_ address: Endpoint.Address) {
        if case .host(let host, let port) = address, let bytes = NumericHost.bytes(of: host) {
            self.init(address: .tcpipAddress(TcpIpAddress(ipAddress: bytes, port: Int32(clamping: port))))
            return
        }
        switch address {
        case .unix(let path): self.init(address: .udsAddress(UdsAddress(filename: path)))
        default: self.init(address: .otherAddress(OtherAddress(name: "\(address)")))
        }
    }
}

extension GRPCChannelConnectivityState {
    init(_ state: ConnectivityState) {
        switch state {
        case .idle: self.init(state: .idle)
        case .connecting: self.init(state: .connecting)
        case .ready: self.init(state: .ready)
        case .transientFailure: self.init(state: .transientFailure)
        case .shutdown: self.init(state: .shutdown)
        }
    }
}
