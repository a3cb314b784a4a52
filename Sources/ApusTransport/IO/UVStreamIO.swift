// SPDX-License-Identifier: Apache-2.0

package import ApusCore
package import ApusHTTP2
import CLibuv

/// A connected TCP or Unix domain socket on a loop.
///
/// C owns one retain of this object from ``init`` until the handle's close callback.
/// Sendable: confined to its loop; others only hold it.
package final class UVStreamIO: ConnectionIO, @unchecked Sendable {
    package let peer: Endpoint.Address
    let loop: UVLoop
    private let handle: UnsafeMutablePointer<uv_stream_t>
    private var handler: (any ConnectionIOHandler)?
    private var isClosing = false
    private var isWriting = false
    private var closesAfterWrite = false
    private var allowance = TurnAllowance()
    /// Called once the descriptor is closed.
    var whenClosed: (() -> Void)?
    private lazy var linger = LoopTimer { [unowned self] in self.closeNow() }

    private var isOffender = false

    // A peer that takes nothing may not hold a closed connection for longer.
    private static let lingerTime = Duration.seconds(5)
    private static let offenceTime = Duration.milliseconds(500)
    // Descriptors that offenders of one loop may hold.
    private static let mostOffenders = 128

    /// Which family of sockets a handle is for.
    enum Kind {
        case tcp
        case pipe
    }

    init(_ kind: Kind, loop: UVLoop, peer: Endpoint.Address) throws(RPCError) {
        self.loop = loop
        self.peer = peer
        let memory: UnsafeMutableRawPointer
        let result: Int32
        switch kind {
        case .tcp:
            let tcp = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
            result = uv_tcp_init(loop.handle, tcp)
            memory = UnsafeMutableRawPointer(tcp)
        case .pipe:
            let pipe = UnsafeMutablePointer<uv_pipe_t>.allocate(capacity: 1)
            result = uv_pipe_init(loop.handle, pipe, 0)
            memory = UnsafeMutableRawPointer(pipe)
        }
        // Both begin with uv_stream_t's fields: libuv's manual allows the cast.
        handle = memory.assumingMemoryBound(to: uv_stream_t.self)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        try UVError.check(result, "cannot make a socket")
    }

    /// Takes over a connected descriptor.
    ///
    /// - Throws: when the descriptor is no such socket; it is closed then.
    convenience init(
        adopting descriptor: Int32, isPipe: Bool, peer: Endpoint.Address, loop: UVLoop
    ) throws(RPCError) {
        try self.init(isPipe ? .pipe : .tcp, loop: loop, peer: peer)
        let result =
            isPipe ? withPipe { uv_pipe_open($0, descriptor) } : withTCP { uv_tcp_open($0, descriptor) }
        if result < 0 {
            SystemCalls.close(descriptor)
            close()
        }
        try UVError.check(result, "cannot take over a connection")
        if !isPipe { withTCP { _ = uv_tcp_nodelay($0, 1) } }
    }

    var stream: UnsafeMutablePointer<uv_stream_t> { handle }

    func withTCP<R>(_ body: (UnsafeMutablePointer<uv_tcp_t>) -> R) -> R {
        body(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_tcp_t.self))
    }

    func withPipe<R>(_ body: (UnsafeMutablePointer<uv_pipe_t>) -> R) -> R {
        body(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_pipe_t.self))
    }

    /// Ends the connection with an error when sent bytes stay unacknowledged for so long. Linux; elsewhere nothing.
    func limitUnacknowledged(_ time: Duration) {
        guard handle.pointee.type == UV_TCP, let descriptor else { return }
        SystemCalls.limitUnacknowledged(descriptor, milliseconds: time.saturatedNanoseconds / 1_000_000)
    }

    private var descriptor: Int32? {
        var descriptor: uv_os_fd_t = -1
        let plain = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
        return uv_fileno(plain, &descriptor) == 0 ? descriptor : nil
    }

    // MARK: ConnectionIO

    package var local: Endpoint.Address? {
        guard !isClosing, let descriptor else { return nil }
        return SystemCalls.name(of: descriptor)?.address
    }

    package func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        setReading(true)
    }

    package func setReading(_ reading: Bool) {
        guard !isClosing else { return }
        if reading { uv_read_start(handle, uvAllocate, uvRead) } else { uv_read_stop(handle) }
    }

    package func write(_ output: OutputBuffer) -> Bool {
        defer { output.reset() }
        guard !isClosing, !isWriting, output.count > 0 else { return !isWriting }
        let written = output.pieces.withUnsafeBufferPointer { pieces -> Int32 in
            // Piece is laid out as iovec, which is what uv_buf_t is on Unix.
            pieces.withMemoryRebound(to: uv_buf_t.self) { buffers in
                uv_try_write(handle, buffers.baseAddress, UInt32(buffers.count))
            }
        }
        if Int(written) == output.count { return true }
        if written < 0, written != UV_EAGAIN.rawValue {
            fail(written)
            return false
        }
        writeLater(output.remainder(from: Int(max(0, written))))
        return false
    }

    package func close() {
        handler = nil
        guard !isClosing, !closesAfterWrite else { return }
        guard isWriting else { return closeNow() }
        closesAfterWrite = true
        uv_read_stop(handle)
        loop.schedule(linger, at: loop.now.advanced(by: Self.lingerTime))
    }

    package func limitTurn(to bytes: Int) { allowance.bytes = bytes }

    package func closeOnOffender() {
        guard !isClosing, !closesAfterWrite, !isWriting, loop.offenders < Self.mostOffenders else { return close() }
        handler = nil
        closesAfterWrite = true
        isOffender = true
        loop.offenders += 1
        uv_read_stop(handle)
        loop.schedule(linger, at: loop.now.advanced(by: Self.offenceTime))
    }

    /// Closes now what waits for nothing but an offender's time to pass.
    func forgetOffender() { if isOffender { closeNow() } }

    /// Closes the stream at once, with what has not left; a handler that is still there is told the reason.
    func abort(_ reason: String) { end(reason) }

    // MARK: libuv

    private func writeLater(_ bytes: [UInt8]) {
        let request = WriteRequest.make(bytes, self)
        isWriting = true
        let result = uv_write(request.handle, handle, request.buffer, 1, uvWritten)
        if result < 0 {
            request.free()
            isWriting = false
            fail(result)
        }
    }

    fileprivate func written(_ status: Int32) {
        isWriting = false
        if closesAfterWrite { return closeNow() }
        if status < 0 { return fail(status) }
        handler?.ioDrained()
    }

    fileprivate var roomThisTurn: Int { allowance.room(in: loop.turnNumber) }

    fileprivate func received(_ count: Int) {
        if count > 0 {
            allowance.take(count)
            handler?.ioReceived(UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count]))
            // There is more to read: large messages are answered while they are in the processor's cache.
            if count == loop.readBuffer.count { loop.settle() }
        } else if count < 0, count != Int(UV_ENOBUFS.rawValue) {
            fail(Int32(truncatingIfNeeded: count))
        }
    }

    private func fail(_ code: Int32) {
        end(code == UV_EOF.rawValue ? "the peer closed the connection" : UVError.text(code))
    }

    private func end(_ reason: String) {
        guard !isClosing else { return }
        let handler = handler
        self.handler = nil
        closeNow()
        // From the loop's queue: a write that fails is still inside its caller.
        let report = EndReport(handler, reason)
        loop.execute { report.run() }
    }

    private func closeNow() {
        loop.cancel(linger)
        guard !isClosing else { return }
        isClosing = true
        if isOffender { loop.offenders -= 1 }
        handler = nil
        uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self), uvClosed)
    }

    fileprivate func release() {
        let whenClosed = whenClosed
        self.whenClosed = nil
        whenClosed?()
        UnsafeMutableRawPointer(handle).deallocate()
        loop.memory.connectionClosed()
        Unmanaged.passUnretained(self).release()
    }
}

// Sendable: made and run on the same loop.
private final class EndReport: @unchecked Sendable {
    private let handler: (any ConnectionIOHandler)?
    private let reason: String

    init(_ handler: (any ConnectionIOHandler)?, _ reason: String) {
        self.handler = handler
        self.reason = reason
    }

    func run() { handler?.ioEnded(reason) }
}

/// Bytes that libuv writes by and by, in memory of their own until it has.
private struct WriteRequest {
    let handle: UnsafeMutablePointer<uv_write_t>
    let buffer: UnsafeMutablePointer<uv_buf_t>

    static func make(_ bytes: [UInt8], _ owner: UVStreamIO) -> WriteRequest {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        memory.initialize(from: bytes, count: bytes.count)
        let buffer = UnsafeMutablePointer<uv_buf_t>.allocate(capacity: 1)
        let base = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: CChar.self)
        buffer.initialize(to: uv_buf_t(base: base, len: bytes.count))
        let handle = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
        handle.pointee.data = UnsafeMutableRawPointer(buffer)
        return WriteRequest(handle: handle, buffer: buffer)
    }

    func free() {
        buffer.pointee.base.map { UnsafeMutableRawPointer($0).deallocate() }
        buffer.deallocate()
        handle.deallocate()
    }
}

// The handle's data is its UVStreamIO: retained until uvClosed has run.
private func owner(_ data: UnsafeMutableRawPointer?) -> UVStreamIO? {
    data.map { Unmanaged<UVStreamIO>.fromOpaque($0).takeUnretainedValue() }
}

private func uvAllocate(
    _ handle: UnsafeMutablePointer<uv_handle_t>?, _: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    // One buffer for all sockets of a loop: what was read is consumed before the next read. A buffer of 0 bytes ends
    // the socket's turn: libuv reports UV_ENOBUFS, and asks again in the next.
    guard let io = owner(handle?.pointee.data) else { return }
    let memory = io.loop.readBuffer
    let count = min(memory.count, io.roomThisTurn)
    buffer?.pointee = uv_buf_t(base: memory.baseAddress?.assumingMemoryBound(to: CChar.self), len: count)
}

private func uvRead(_ handle: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _: UnsafePointer<uv_buf_t>?) {
    owner(handle?.pointee.data)?.received(count)
}

private func uvWritten(_ request: UnsafeMutablePointer<uv_write_t>?, _ status: Int32) {
    guard let request, let data = request.pointee.data else { return }
    let socket = owner(request.pointee.handle?.pointee.data)
    WriteRequest(handle: request, buffer: data.assumingMemoryBound(to: uv_buf_t.self)).free()
    socket?.written(status)
}

private func uvClosed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    owner(handle?.pointee.data)?.release()
}
