// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

/// A tunnel whose first bytes came together with the proxy's answer: they are delivered before all others.
///
/// Sendable: confined to its loop, on which it posts.
final class TunnelIO: ConnectionIO, @unchecked Sendable {
    private let inner: any ConnectionIO
    private let loop: any EventLoop
    private var first: [UInt8]
    private var handler: (any ConnectionIOHandler)?
    private var isReading = false

    init(_ inner: any ConnectionIO, _ first: [UInt8], _ loop: any EventLoop) {
        self.inner = inner
        self.first = first
        self.loop = loop
    }

    var peer: Endpoint.Address { inner.peer }
    var peerIdentity: PeerIdentity? { inner.peerIdentity }
    var local: Endpoint.Address? { inner.local }
    var security: ConnectionSecurity? { inner.security }

    func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        inner.start(self)
        inner.setReading(false)
        setReading(true)
    }

    func setReading(_ reading: Bool) {
        isReading = reading
        guard !first.isEmpty else { return inner.setReading(reading) }
        // Later: nobody expects bytes while he says that he wants some.
        if reading { loop.execute { self.deliverFirst() } }
    }

    private func deliverFirst() {
        guard isReading, !first.isEmpty, let handler else { return }
        let bytes = first
        first = []
        bytes.withUnsafeBytes { handler.ioReceived($0) }
        inner.setReading(isReading)
    }

    func write(_ output: OutputBuffer) -> Bool { inner.write(output) }

    func close() {
        handler = nil
        inner.close()
    }
}

extension TunnelIO: ConnectionIOHandler {
    func ioReceived(_ bytes: UnsafeRawBufferPointer) { handler?.ioReceived(bytes) }
    func ioDrained() { handler?.ioDrained() }

    func ioEnded(_ reason: String) {
        let handler = handler
        self.handler = nil
        handler?.ioEnded(reason)
    }
}
