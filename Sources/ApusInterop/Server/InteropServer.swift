// SPDX-License-Identifier: Apache-2.0

package import Apus

/// The program `apus-interop-server`.
package enum InteropServer {
    private static let flags = ["port", "use_tls", "tls_cert_file", "tls_key_file"]

    /// Serves on the port that the arguments name until SIGTERM or SIGINT.
    ///
    /// - Throws: ``FlagError``, and why the port cannot be listened on.
    package static func run(_ arguments: [String]) async throws {
        let flags = try CommandLineFlags(arguments, known: flags)
        let port = try flags.integer("port", default: 8080, in: 0...65535)
        if try flags.truth("use_tls") { throw FlagError("--use_tls true is not supported yet") }
        try await serve(port: port)
    }

    /// The services of the interop cases, with health and reflection.
    package static func make() throws -> Server {
        let services: [any Service] = [InteropService()]
        let health = Health(serving: services)
        return try Server(services + [health, Reflection(services + [health])])
    }

    // All addresses of the machine: of both families where it has IPv6, else of IPv4.
    private static func serve(port: Int) async throws {
        let server = try make()
        var isListening = false
        func started(_ running: RunningServer) {
            isListening = true
            InteropProgram.print("listening on \(running.addresses.map(\.description).joined(separator: ", "))")
        }
        do {
            try await server.serve(on: .host("::", port: port), started: started)
        } catch  where !isListening {
            try await server.serve(on: .host("0.0.0.0", port: port), started: started)
        }
    }
}
