// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Listens for a server: accepts its connections and gives each to the loop that has the fewest.
enum Acceptor {
    /// Listens on a target's sockets; the accepting itself happens on loops, for which this waits.
    ///
    /// - Throws: as ``ListeningSocket/open(_:loops:)``; then none of them is listened on.
    static func listen(on target: ListenTarget, for running: ActiveServer) throws(RPCError) {
        var sockets = try ListeningSocket.open(target, loops: running.loops.count)[...]
        while let socket = sockets.popFirst() {
            do throws(RPCError) {
                running.add(try listen(on: socket, target, for: running))
            } catch {
                for socket in sockets { socket.close() }
                throw error
            }
        }
    }

    private static func listen(
        on socket: ListeningSocket, _ target: ListenTarget, for running: ActiveServer
    ) throws(RPCError) -> ActiveServer.ListenerHandle {
        let loop = running.loops.next()
        let observer = running.server.observer
        let result = loop.perform { [weak running] () -> Result<Confined, RPCError> in
            do throws(RPCError) {
                let listener = try Listener(socket, loop: loop) { accepted in
                    guard let running else { return SystemCalls.close(accepted.descriptor) }
                    // The system has distributed connections of a shared port already.
                    let owner = target.sharesPort ? running.balance.one(more: loop) : running.balance.least()
                    serve(accepted, target, running, on: owner)
                } tell: { event in
                    observer?.serverEvent(event)
                }
                return .success(Confined(listener))
            } catch {
                return .failure(error)
            }
        }
        let listener = try result.get()
        return ActiveServer.ListenerHandle(address: socket.address) { closed in
            loop.execute {
                listener.listener.close()
                closed()
            }
        }
    }

    private static func serve(
        _ accepted: Listener.Accepted, _ target: ListenTarget, _ running: ActiveServer, on loop: UVLoop
    ) {
        loop.run { [weak running] in
            guard let running else { return SystemCalls.close(accepted.descriptor) }
            do throws(RPCError) {
                let socket = try UVStreamIO(
                    adopting: accepted.descriptor, isPipe: accepted.isPipe, peer: accepted.peer, loop: loop)
                if let limit = running.options.acknowledgementTimeout { socket.limitUnacknowledged(limit) }
                running.serve(socket, expectsProxyHeader: target.expectsProxyHeader)
            } catch {
                running.balance.connectionClosed(on: loop)
            }
        }
    }

    // Sendable: touched on the listener's loop alone.
    private final class Confined: @unchecked Sendable {
        let listener: Listener
        init(_ listener: Listener) { self.listener = listener }
    }
}
