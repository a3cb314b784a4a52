// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusServices
import ApusTransport

/// The policies and limits in force. Of policies only their names and documents are told: their own values may be keys.
struct ConfigReport {
    let channels: [Channel]
    let servers: [ServerInspection]

    var members: [String: JSON] {
        ["channels": .array(channels.map(channel)), "servers": .array(servers.map(server))]
    }

    private func channel(_ channel: Channel) -> JSON {
        .object([
            "name": .string(channel.name), "state": .string(channel.state.name),
            "interceptors": .array(channel.interceptors.map { .string(Self.name(of: $0)) }),
            "service_config": Self.serviceConfig(of: channel),
        ])
    }

    private static func serviceConfig(of channel: Channel) -> JSON {
        let configs = channel.interceptors.compactMap { ($0 as? ServiceConfigured)?.config }
        guard let config = configs.first else { return .null }
        let document = config.document
        return .object([
            "source": .text(document?.name), "refused": .text(config.lastRefusal?.message),
            "document": document.flatMap { try? JSONReader.read($0.bytes) } ?? .null,
        ])
    }

    private func server(_ server: ServerInspection) -> JSON {
        .object([
            "addresses": .array(server.addresses.map { .string("\($0)") }),
            "services": .array(server.services.map(JSON.string)),
            "interceptors": .array(server.interceptors.map { .string(Self.name(of: $0)) }),
            "limits": .object(Self.limits(server.options)),
        ])
    }

    private static func limits(_ options: ServerOptions) -> [String: JSON] {
        [
            "maximum_request_bytes": .integer(options.maximumRequestBytes),
            "maximum_metadata_bytes": .integer(options.maximumMetadataBytes),
            "maximum_concurrent_streams": .integer(options.maximumConcurrentStreams),
            "maximum_connections": options.maximumConnections.map(JSON.integer) ?? .null,
            "maximum_connections_per_peer": options.maximumConnectionsPerPeer.map(JSON.integer) ?? .null,
            "keepalive_seconds": .seconds(options.keepaliveInterval),
            "maximum_connection_idle_seconds": .seconds(options.maximumConnectionIdle),
            "maximum_connection_age_seconds": .seconds(options.maximumConnectionAge),
            "handshake_seconds": .seconds(options.handshakeTimeout), "tls": .bool(options.tls != nil),
        ]
    }

    private static func name(of policy: Any) -> String { "\(type(of: policy))" }
}
