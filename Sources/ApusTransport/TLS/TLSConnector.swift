// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A channel's side of handshakes: whom it trusts, its certificate, its sessions. Safe from any thread.
package final class TLSConnector: Sendable {
    private let options: ClientTLS
    private let contexts: ReloadingContext

    /// - Throws: INVALID_ARGUMENT for certificates, keys or roots that cannot be used.
    package init(_ options: ClientTLS) throws(RPCError) {
        self.options = options
        let certificates = options.certificate.map { [$0] } ?? []
        let sources = options.roots.sources + certificates.flatMap { [$0.chain, $0.privateKey] }
        contexts = try ReloadingContext(
            hasFiles: sources.contains(where: \.isFile), interval: options.reloadInterval, report: options.onEvent,
            read: { () throws(RPCError) in try TLSMaterial(certificates, options.roots) },
            make: { (material, _) throws(RPCError) in try TLSContext.client(options, material) })
    }

    /// A connection to a server whose handshake has not begun, on the loop that is calling.
    ///
    /// - Throws: INVALID_ARGUMENT for a name that cannot be one.
    package func connect(
        _ io: any ConnectionIO, to address: Endpoint.Address, on loop: any EventLoop
    ) throws(RPCError) -> TLSIO {
        let engine = try TLSEngine(
            client: contexts.current(now: loop.now), serverName: options.serverName(for: address), address: address,
            now: loop.now)
        return TLSIO(io, engine, loop: loop)
    }

    /// Makes the handshake and answers once, unless the connection is closed before.
    package func handshake(_ io: TLSIO, answer: @escaping (TLSIO.HandshakeResult) -> Void) {
        io.handshake(within: options.handshakeTimeout, answer)
    }
}
