// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser

/// TLS on the way to a server.
struct TLSArguments: ParsableArguments {
    @Flag(help: "Speak TLS, and trust the system's authorities. The other flags of this group imply it.")
    var tls = false
    @Option(help: ArgumentHelp("Trust the authorities in this file instead.", valueName: "pem"))
    var cacert: String?
    @Option(help: ArgumentHelp("Show this certificate (with its chain); needs --key.", valueName: "pem"))
    var cert: String?
    @Option(help: ArgumentHelp("The private key of --cert.", valueName: "pem")) var key: String?
    @Option(help: ArgumentHelp("The name that the server must prove.", valueName: "name")) var serverName: String?
    @Flag(help: "Accept any certificate: whoever is on the way can read and change the calls.")
    var insecure = false

    func validate() throws {
        guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key come together.") }
    }

    /// Nil for cleartext.
    func makeTLS() -> ClientTLS? {
        guard tls || cacert != nil || cert != nil || serverName != nil || insecure else { return nil }
        var result = ClientTLS(roots: cacert.map { .file($0) } ?? .system, serverName: serverName)
        if let cert, let key { result.certificate = .files(chain: cert, privateKey: key) }
        if insecure { result.verification = .dangerouslyAcceptAnyCertificate }
        return result
    }
}
