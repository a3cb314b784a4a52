// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusServices
import ApusTransport

/// The policies and limits in force. Of policies that is told which they tell themselves (``DescribedPolicy``): what else
/// they hold may be keys.
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
            "policies": PolicyReport.rows(channel.interceptors),
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
            "policies": PolicyReport.rows(server.interceptors),
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

/// The values of policies, each with its policy's place in the list: one row for each value, so that they keep their
/// order. A policy that tells nothing has a row without.
enum PolicyReport {
    private static let longestText = 300

    static func rows(_ policies: [Any]) -> JSON {
        .array(policies.enumerated().flatMap { rows($1, place: $0 + 1) })
    }

    private static func rows(_ policy: Any, place: Int) -> [JSON] {
        let values = (policy as? any DescribedPolicy)?.policyValues.map {
            (JSON.string($0.name), JSON.string(cut($0.text)))
        }
        return (values ?? [(.null, .null)]).map { name, value in
            .object([
                "place": .integer(place), "policy": .string("\(type(of: policy))"), "setting": name, "value": value,
            ])
        }
    }

    private static func cut(_ text: String) -> String {
        text.count > longestText ? text.prefix(longestText) + "…" : text
    }
}
