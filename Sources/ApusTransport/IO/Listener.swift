// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// A listening socket on one loop that hands its connections to others. Confined to its loop.
///
/// libuv only watches the socket. Its own listener gives connections to handles of the same loop alone, and spins when
/// the descriptor that it keeps in reserve is lost. C owns one retain from ``init`` until the handle's close callback.
final class Listener {
    /// A connection that no loop owns yet.
    struct Accepted: Sendable {
        let descriptor: Int32
        let peer: Endpoint.Address

        var isPipe: Bool { if case .host = peer { false } else { true } }
    }

    private let socket: ListeningSocket
    private let loop: UVLoop
    private let handle = UnsafeMutablePointer<uv_poll_t>.allocate(capacity: 1)
    private var queue: AcceptQueue
    private var accept: ((Accepted) -> Void)?
    private let tell: (ServerEvent) -> Void
    private lazy var pause = LoopTimer { [unowned self] in self.watch() }

    /// Begins to accept.
    ///
    /// - Parameters:
    ///   - system: what accepts; nil for the operating system.
    ///   - tell: told when the process runs out of descriptors, and when it has some again.
    /// - Throws: RESOURCE_EXHAUSTED when the loop cannot watch the socket, which is closed then.
    init(
        _ socket: ListeningSocket, loop: UVLoop, system: AcceptQueue.System? = nil,
        accept: @escaping (Accepted) -> Void, tell: @escaping (ServerEvent) -> Void
    ) throws(RPCError) {
        self.socket = socket
        self.loop = loop
        self.accept = accept
        self.tell = tell
        queue = AcceptQueue(system ?? .init { SystemCalls.acceptSocket(socket.descriptor) })
        let result = uv_poll_init(loop.handle, handle, socket.descriptor)
        guard result >= 0 else {
            handle.deallocate()
            queue.close()
            socket.close()
            throw RPCError(.resourceExhausted, "cannot listen on \(socket.address): \(UVError.text(result))")
        }
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        watch()
    }

    private func watch() { uv_poll_start(handle, Int32(UV_READABLE.rawValue), uvReadable) }

    fileprivate func connectionsWait() {
        guard case .pause(let time) = drain() else { return }
        uv_poll_stop(handle)
        loop.schedule(pause, at: loop.now.advanced(by: time))
    }

    private func drain() -> AcceptQueue.Verdict {
        let address = socket.address
        return queue.drain { descriptor, peer in
            // A client's end of a Unix domain socket has no name.
            let connection = Accepted(descriptor: descriptor, peer: peer?.address ?? .unix(path: ""))
            if let accept { accept(connection) } else { SystemCalls.close(descriptor) }
        } _: { notice in
            switch notice {
            case .outOfDescriptors: tell(.outOfDescriptors(listener: address))
            case .recovered(let refused): tell(.descriptorsAvailable(listener: address, refused: refused))
            }
        }
    }

    /// Stops listening. Connections that wait already are taken first: their clients hear of the end in their own
    /// words, where a reset could cost them calls. Those of an inherited socket wait for the next process.
    func close() {
        guard accept != nil else { return }
        if !socket.isKept { _ = drain() }
        accept = nil
        loop.cancel(pause)
        queue.close()
        uv_poll_stop(handle)
        // uv_poll_stop's manual: the descriptor may be closed from here on.
        socket.close()
        uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { handle in
            guard let handle, let data = handle.pointee.data else { return }
            UnsafeMutableRawPointer(handle).deallocate()
            Unmanaged<Listener>.fromOpaque(data).release()
        }
    }
}

private func uvReadable(_ handle: UnsafeMutablePointer<uv_poll_t>?, _: Int32, _: Int32) {
    guard let data = handle?.pointee.data else { return }
    Unmanaged<Listener>.fromOpaque(data).takeUnretainedValue().connectionsWait()
}
