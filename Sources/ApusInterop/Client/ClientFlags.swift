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

    private static let known = [
        "server_host", "server_port", "server_host_override", "test_case", "use_tls", "ca_file", "use_test_ca",
    ]

    /// - Throws: ``FlagError``.
    init(_ arguments: [String]) throws(FlagError) {
        let flags = try CommandLineFlags(arguments, known: Self.known + SoakLimits.flags)
        host = flags["server_host"] ?? "localhost"
        port = try flags.integer("server_port", default: 8080, in: 1...65535)
        override = flags["server_host_override"]
        testCase = try InteropCase.named(flags["test_case"] ?? "large_unary")
        soak = try SoakLimits(flags)
        tls = try Self.tls(flags)
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
        return Channel(
            override ?? "\(endpoint)", interceptors: [Deadline(.seconds(120)), PinnedEndpoint(endpoint)],
            options: options)
    }
}
