// SPDX-License-Identifier: Apache-2.0

import Apus

/// The command line of the client.
struct ClientFlags: Sendable {
    let host: String
    let port: Int
    /// The name that the client takes the server for, in `:authority`; nil for its address.
    let override: String?
    let testCase: InteropCase
    let soak: SoakLimits
    /// TLS, if the flags ask for it.
    let tls: ClientTLS?
    /// What every call sends besides.
    let metadata: Metadata

    private static let known = [
        "server_host", "server_port", "server_host_override", "test_case", "ca_file", "additional_metadata",
        // For cases that are refused: to be given, they need not be obeyed.
        "default_service_account", "oauth_scope", "service_account_key_file",
    ]
    private static let switches = ["use_tls", "use_test_ca"]
    private static let refused = [
        "use_alts": "there is --use_tls alone", "custom_credentials_type": "there is --use_tls alone",
        "service_config_json": "this channel reads no service config",
    ]

    /// - Throws: ``FlagError``.
    init(_ arguments: [String]) throws(FlagError) {
        let flags = try CommandLineFlags(
            arguments, known: Self.known + SoakLimits.flags, switches: Self.switches, refused: Self.refused)
        host = flags["server_host"] ?? "localhost"
        port = try flags.integer("server_port", default: 8080, in: 1...65535)
        override = flags["server_host_override"]
        testCase = try InteropCase.named(flags["test_case"] ?? "large_unary")
        soak = try SoakLimits(flags)
        tls = try Self.tls(flags)
        metadata = try Self.metadata(flags["additional_metadata"] ?? "")
    }

    // `key:value;key:value`, where a value may have colons: grpc-go's form.
    private static func metadata(_ text: String) throws(FlagError) -> Metadata {
        var metadata = Metadata()
        for pair in text.split(separator: ";") {
            guard let colon = pair.firstIndex(of: ":"), colon != pair.startIndex else {
                throw FlagError("--additional_metadata is key:value pairs with ';' between them, not '\(text)'")
            }
            let (key, value) = (String(pair[..<colon]), pair[pair.index(after: colon)...])
            if key.hasSuffix("-bin") {
                metadata.add(key, binary: Array(value.utf8))
            } else {
                metadata.add(key, String(value))
            }
        }
        return metadata
    }

    private static func tls(_ flags: CommandLineFlags) throws(FlagError) -> ClientTLS? {
        guard try flags.truth("use_tls") else { return nil }
        if try flags.truth("use_test_ca"), flags["ca_file"] == nil {
            throw FlagError("--use_test_ca true needs --ca_file: no test authority is built in")
        }
        let roots = flags["ca_file"].map { TLSRoots.file($0) } ?? .system
        return ClientTLS(roots: roots, serverName: flags["server_host_override"])
    }

    func channel() -> Channel {
        let endpoint = Endpoint(.host(host, port: port))
        var options = TransportOptions()
        options.tls = tls
        let policies: [any ClientInterceptor] = [
            AdditionalMetadata(metadata: metadata), Deadline(.seconds(120)), PinnedEndpoint(endpoint),
        ]
        return Channel(override ?? "\(endpoint)", interceptors: policies, options: options)
    }
}

/// Sends the same metadata with every call.
private struct AdditionalMetadata: ClientInterceptor {
    let metadata: Metadata

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.metadata.add(contentsOf: metadata)
        return try await next(call)
    }
}
