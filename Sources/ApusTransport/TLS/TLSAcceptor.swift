// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A server's side of handshakes: its certificates and its turns. Safe from any thread.
package final class TLSAcceptor: Sendable {
    private let options: ServerTLS
    private let contexts: ReloadingContext
    private let slots: HandshakeSlots

    /// - Throws: INVALID_ARGUMENT for certificates, keys or roots that cannot be used.
    package init(_ options: ServerTLS) throws(RPCError) {
        self.options = options
        slots = HandshakeSlots(options.maximumHandshakes)
        let sources =
            options.certificates.flatMap { [$0.chain, $0.privateKey] } + (options.clients.roots?.sources ?? [])
        contexts = try ReloadingContext(
            hasFiles: sources.contains(where: \.isFile), interval: options.reloadInterval, report: options.onEvent,
            read: { () throws(RPCError) in try TLSMaterial(options.certificates, options.clients.roots) },
            make: { (material, previous) throws(RPCError) in
                try TLSContext.server(options, material, previous: previous)
            })
    }

    /// A connection whose handshake has not begun, on the loop that is calling.
    package func accept(_ io: any ConnectionIO, on loop: any EventLoop) throws(RPCError) -> TLSIO {
        let engine = try TLSEngine(server: contexts.current(now: loop.now), now: loop.now)
        return TLSIO(io, engine, loop: loop, slots: slots)
    }

    /// Makes the handshake of an accepted connection and answers once, unless it is closed before.
    package func handshake(_ io: TLSIO, answer: @escaping (_ established: Bool) -> Void) {
        io.handshake(within: options.handshakeTimeout) { [options] result in
            switch result {
            case .established: answer(true)
            case .left: answer(false)
            case .failed(let reason):
                options.onEvent?(.handshakeFailed(peer: io.peer, reason: reason))
                answer(false)
            }
        }
    }
}
