// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// A listening socket on one loop that hands its connections to others. Confined to its loop.
///
/// C owns one retain from ``init`` until the handle's close callback.
final class Listener {
    private(set) var address: Endpoint.Address
    private let loop: UVLoop
    private let handle: UnsafeMutablePointer<uv_stream_t>
    private let isPipe: Bool
    private var accept: ((Accepted) -> Void)?
    private var isClosing = false

    private static let backlog: Int32 = 1024

    /// Binds and listens.
    ///
    /// - Throws: INVALID_ARGUMENT for an address that is none, UNAVAILABLE with the cause for one that is in use or
    ///   not ours.
    init(_ address: Endpoint.Address, loop: UVLoop, accept: @escaping (Accepted) -> Void) throws(RPCError) {
        self.address = address
        self.loop = loop
        self.accept = accept
        let memory: UnsafeMutableRawPointer
        switch address {
        case .host:
            isPipe = false
            let tcp = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
            uv_tcp_init(loop.handle, tcp)
            memory = UnsafeMutableRawPointer(tcp)
        default:
            isPipe = true
            let pipe = UnsafeMutablePointer<uv_pipe_t>.allocate(capacity: 1)
            uv_pipe_init(loop.handle, pipe, 0)
            memory = UnsafeMutableRawPointer(pipe)
        }
        handle = memory.assumingMemoryBound(to: uv_stream_t.self)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        do throws(RPCError) {
            try listen()
        } catch {
            close()
            throw error
        }
    }

    private func listen() throws(RPCError) {
        let failed = "cannot listen on \(address)"
        switch address {
        case .host(let host, let port):
            guard let numeric = SocketAddress(host: host == "localhost" ? "127.0.0.1" : host, port: port) else {
                throw RPCError(.invalidArgument, "\(failed): give an IP address and a port from 0 to 65535")
            }
            let tcp = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_tcp_t.self)
            try UVError.check(numeric.withAddress { uv_tcp_bind(tcp, $0, 0) }, failed, .unavailable)
        case .unix(let path):
            let pipe = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_pipe_t.self)
            try UVError.check(uv_pipe_bind(pipe, path), failed, .unavailable)
        case .memory:
            throw RPCError(.invalidArgument, "\(failed): an in-memory address belongs to an InMemoryNetwork")
        }
        try UVError.check(uv_listen(handle, Self.backlog, uvConnection), failed, .unavailable)
        if !isPipe { address = boundAddress() }
    }

    private func boundAddress() -> Endpoint.Address {
        let tcp = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_tcp_t.self)
        return tcpName(tcp, uv_tcp_getsockname) ?? address
    }

    /// An accepted connection that no loop owns yet.
    enum Accepted {
        case descriptor(Int32, isPipe: Bool)
        case failed(String)
    }

    fileprivate func connectionWaits(_ status: Int32) {
        guard status == 0 else {
            renewReserve()
            return accept?(.failed(UVError.text(status))) ?? ()
        }
        // Accepted into a handle of this loop, then moved by its descriptor: libuv has no accept for another loop.
        let (result, descriptor) = acceptDescriptor()
        accept?(result < 0 ? .failed(UVError.text(result)) : .descriptor(descriptor, isPipe: isPipe))
    }

    // Out of descriptors, libuv gives up one that it keeps in reserve, accepts and closes what waits, and takes the
    // reserve back. When another thread was quicker it has none: it takes one when a handle is made.
    private func renewReserve() {
        let probe = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
        uv_tcp_init(loop.handle, probe)
        let plain = UnsafeMutableRawPointer(probe).assumingMemoryBound(to: uv_handle_t.self)
        uv_close(plain) { handle in UnsafeMutableRawPointer(handle)?.deallocate() }
    }

    private func acceptDescriptor() -> (Int32, Int32) {
        let size = isPipe ? MemoryLayout<uv_pipe_t>.size : MemoryLayout<uv_tcp_t>.size
        let client = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        if isPipe {
            uv_pipe_init(loop.handle, client.assumingMemoryBound(to: uv_pipe_t.self), 0)
        } else {
            uv_tcp_init(loop.handle, client.assumingMemoryBound(to: uv_tcp_t.self))
        }
        let plain = client.assumingMemoryBound(to: uv_handle_t.self)
        // The close takes the handle's own descriptor: a copy goes on.
        defer { uv_close(plain) { handle in UnsafeMutableRawPointer(handle)?.deallocate() } }
        var descriptor: uv_os_fd_t = -1
        var result = uv_accept(handle, client.assumingMemoryBound(to: uv_stream_t.self))
        if result == 0 { result = uv_fileno(plain, &descriptor) }
        guard result == 0 else { return (result, -1) }
        let copy = SystemCalls.duplicate(descriptor)
        return (copy < 0 ? UV_EMFILE.rawValue : 0, copy)
    }

    /// Stops listening. Connections that still wait in the backlog are reset: their clients go elsewhere.
    func close() {
        accept = nil
        guard !isClosing else { return }
        isClosing = true
        uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { handle in
            guard let handle, let data = handle.pointee.data else { return }
            UnsafeMutableRawPointer(handle).deallocate()
            Unmanaged<Listener>.fromOpaque(data).release()
        }
    }
}

private func uvConnection(_ handle: UnsafeMutablePointer<uv_stream_t>?, _ status: Int32) {
    guard let data = handle?.pointee.data else { return }
    Unmanaged<Listener>.fromOpaque(data).takeUnretainedValue().connectionWaits(status)
}

/// The name of one end of a TCP socket; nil when the socket is gone.
func tcpName(
    _ handle: UnsafeMutablePointer<uv_tcp_t>,
    _ ask: (UnsafePointer<uv_tcp_t>?, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<Int32>?) -> Int32
) -> Endpoint.Address? {
    var storage = sockaddr_storage()
    var size = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { pointer in
        let address = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
        guard ask(handle, address, &size) == 0 else { return nil }
        return SocketAddress(UnsafePointer(address))?.address
    }
}
