// SPDX-License-Identifier: Apache-2.0

package import Apus

/// The program `apus-interop-server`.
package enum InteropServer {
    private static let known = ["port", "tls_cert_file", "tls_key_file"]
    private static let refused = [
        "use_alts": "there is --use_tls alone", "custom_credentials_type": "there is --use_tls alone",
    ]

    /// Serves on the port that the arguments name until SIGTERM or SIGINT.
    ///
    /// - Throws: ``FlagError``, and why the port cannot be listened on.
    package static func run(_ arguments: [String]) async throws {
        let flags = try CommandLineFlags(arguments, known: known, switches: ["use_tls"], refused: refused)
        let port = try flags.integer("port", default: 8080, in: 0...65535)
        var options = ServerOptions()
        options.tls = try tls(flags)
        try await serve(port: port, options: options)
    }

    private static func tls(_ flags: CommandLineFlags) throws(FlagError) -> ServerTLS? {
        guard try flags.truth("use_tls") else { return nil }
        guard let chain = flags["tls_cert_file"], let key = flags["tls_key_file"] else {
            throw FlagError("--use_tls true needs --tls_cert_file and --tls_key_file")
        }
        return ServerTLS(.files(chain: chain, privateKey: key))
    }

    /// The services of the interop cases and of load reports, with health and reflection.
    package static func make() throws -> Server {
        let load = LoadRecorder()
        let services: [any Service] = [InteropService(load: load)]
        let standard: [any Service] = [
            Health(serving: services), LoadReports(of: load, minimumInterval: reportInterval),
        ]
        let all = services + standard
        return try Server(all + [Reflection(all)], interceptors: [LoadReporting()])
    }

    // Less than the case waits, and more than a machine notices.
    private static let reportInterval = Duration.milliseconds(100)

    // All addresses of the machine: of both families where it has IPv6, else of IPv4.
    private static func serve(port: Int, options: ServerOptions) async throws {
        let server = try make()
        var isListening = false
        func started(_ running: RunningServer) {
            isListening = true
            InteropProgram.print("listening on \(running.addresses.map(\.description).joined(separator: ", "))")
        }
        do {
            try await server.serve(on: .host("::", port: port), options: options, started: started)
        } catch  where !isListening {
            try await server.serve(on: .host("0.0.0.0", port: port), options: options, started: started)
        }
    }
}
