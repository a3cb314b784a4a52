// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

/// One end of a byte stream inside the process. Bytes are posted to the other end's loop; as with a socket, an end
/// that takes none makes the other wait.
///
/// Sendable: each end is confined to its loop; between loops go only `[UInt8]` values and posted calls.
final class MemoryPipe: ConnectionIO, @unchecked Sendable {
    let peer: Endpoint.Address
    private let loop: any EventLoop
    private weak var other: MemoryPipe?
    // Keeps the other end while this one is open: nobody else might.
    private var otherRetained: MemoryPipe?
    private var handler: (any ConnectionIOHandler)?
    private var isReading = false
    private var isClosed = false
    private var received = Deque<[UInt8]>()
    private var otherClosed: String?
    private var unacknowledged = 0
    private var waitsForDrain = false

    // What a socket's buffers would hold.
    private static let capacity = 256 * 1024

    /// Two ends of one stream.
    ///
    /// - Parameter name: what both ends call their peer.
    static func pair(
        _ name: String, _ first: any EventLoop, _ second: any EventLoop
    ) -> (first: MemoryPipe, second: MemoryPipe) {
        let a = MemoryPipe(name, first)
        let b = MemoryPipe(name, second)
        a.connect(b)
        b.connect(a)
        return (a, b)
    }

    private init(_ name: String, _ loop: any EventLoop) {
        peer = .memory(name)
        self.loop = loop
    }

    private func connect(_ other: MemoryPipe) {
        self.other = other
        otherRetained = other
    }

    func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        setReading(true)
    }

    func setReading(_ reading: Bool) {
        isReading = reading
        if reading { deliver() }
    }

    func write(_ output: OutputBuffer) -> Bool {
        let bytes = output.remainder(from: 0)
        output.reset()
        guard !isClosed, let other else { return false }
        guard !bytes.isEmpty else { return !waitsForDrain }
        unacknowledged += bytes.count
        waitsForDrain = unacknowledged > Self.capacity
        other.loop.execute { other.receive(bytes) }
        return !waitsForDrain
    }

    func close() { close("the peer closed the connection") }

    /// Says that nothing more will be written; what the other end writes still arrives.
    func endSending(_ reason: String) {
        guard !isClosed, let other else { return }
        other.loop.execute { other.end(reason) }
    }

    /// Ends the stream as a fault would: the other end is told `reason`.
    func close(_ reason: String) {
        guard !isClosed else { return }
        isClosed = true
        handler = nil
        received.removeAll()
        let other = otherRetained
        otherRetained = nil
        guard let other else { return }
        other.loop.execute { other.end(reason) }
    }

    private func receive(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        received.append(bytes)
        deliver()
    }

    private func deliver() {
        while isReading, let handler, let bytes = received.popFirst() {
            let count = bytes.count
            if let other { other.loop.execute { other.acknowledge(count) } }
            bytes.withUnsafeBytes { handler.ioReceived($0) }
        }
        guard isReading, received.isEmpty, let reason = otherClosed, let handler else { return }
        // As a socket: who is told that nothing more comes has nothing more to say.
        close("the peer closed the connection")
        handler.ioEnded(reason)
    }

    private func acknowledge(_ count: Int) {
        unacknowledged -= count
        guard waitsForDrain, unacknowledged <= Self.capacity / 2 else { return }
        waitsForDrain = false
        handler?.ioDrained()
    }

    private func end(_ reason: String) {
        guard otherClosed == nil else { return }
        otherClosed = reason
        deliver()
    }
}
