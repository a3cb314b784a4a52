// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Accepts a server's connections on one loop and gives each to the loop that has the fewest.
enum Acceptor {
    /// Listens; the listening itself happens on a loop, for which this waits.
    static func listen(
        on address: Endpoint.Address, for running: ActiveServer
    ) throws(RPCError) -> ActiveServer.ListenerHandle {
        let loop = running.loops.next()
        let result = loop.perform { [weak running] () -> Result<(Endpoint.Address, Confined), RPCError> in
            do throws(RPCError) {
                let listener = try Listener(address, loop: loop) { accepted in
                    guard case .descriptor(let descriptor, let isPipe) = accepted else { return }
                    guard let running else { return SystemCalls.close(descriptor) }
                    serve(descriptor, isPipe: isPipe, running)
                }
                return .success((listener.address, Confined(listener)))
            } catch {
                return .failure(error)
            }
        }
        let (bound, listener) = try result.get()
        return ActiveServer.ListenerHandle(address: bound) { closed in
            loop.execute {
                listener.listener.close()
                closed()
            }
        }
    }

    private static func serve(_ descriptor: Int32, isPipe: Bool, _ running: ActiveServer) {
        let loop = running.balance.least()
        loop.run { [weak running] in
            guard let running else { return SystemCalls.close(descriptor) }
            do throws(RPCError) {
                let socket = try UVStreamIO(adopting: descriptor, isPipe: isPipe, loop: loop)
                if let limit = running.options.acknowledgementTimeout { socket.limitUnacknowledged(limit) }
                running.serve(socket, on: loop)
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
