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
        for name in ["use_tls", "use_test_ca"] where try flags.truth(name) {
            throw FlagError("--\(name) true is not supported yet")
        }
    }

    func channel() -> Channel {
        let endpoint = Endpoint(.host(host, port: port))
        return Channel(override ?? "\(endpoint)", interceptors: [Deadline(.seconds(120)), PinnedEndpoint(endpoint)])
    }
}
