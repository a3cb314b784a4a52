// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

/// A byte stream that a proxy passes on: first its header, then what the client sends. Confined to its loop.
final class ProxyIO: ConnectionIO {
    /// The client, once the header was read; before that the proxy.
    private(set) var peer: Endpoint.Address
    private let inner: any ConnectionIO
    private let loop: any EventLoop
    private var header = ProxyHeader()
    // Called with what is wrong, or nil.
    private var answer: ((String?) -> Void)?
    // What the client sent together with the header.
    private var early: [UInt8] = []
    private lazy var timer = LoopTimer { [unowned self] in
        self.end("no PROXY header came within the handshake's time")
    }

    init(_ inner: any ConnectionIO, loop: any EventLoop) {
        self.inner = inner
        self.loop = loop
        peer = inner.peer
    }

    /// Reads the header and answers once, with what is wrong or nil, unless this is closed before.
    func handshake(within time: Duration, _ answer: @escaping (String?) -> Void) {
        self.answer = answer
        loop.schedule(timer, at: loop.now.advanced(by: time))
        inner.start(self)
    }

    private func end(_ problem: String?) {
        loop.cancel(timer)
        let answer = answer
        self.answer = nil
        answer?(problem)
        if problem != nil { inner.close() }
    }

    // MARK: ConnectionIO

    var peerIdentity: PeerIdentity? { inner.peerIdentity }
    var local: Endpoint.Address? { inner.local }
    var security: ConnectionSecurity? { inner.security }

    func start(_ handler: any ConnectionIOHandler) {
        // From here on the stream reports to the handler itself.
        inner.start(handler)
        let bytes = early
        early = []
        if !bytes.isEmpty { bytes.withUnsafeBytes { handler.ioReceived($0) } }
    }

    func write(_ output: OutputBuffer) -> Bool { inner.write(output) }
    func setReading(_ reading: Bool) { inner.setReading(reading) }

    func limitTurn(to bytes: Int) { inner.limitTurn(to: bytes) }

    func close() {
        loop.cancel(timer)
        answer = nil
        inner.close()
    }

    func closeOnOffender() {
        loop.cancel(timer)
        answer = nil
        inner.closeOnOffender()
    }
}

extension ProxyIO: ConnectionIOHandler {
    func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        guard answer != nil else { return early.append(contentsOf: bytes) }
        var rest = bytes
        switch header.receive(&rest) {
        case .needsMore: break
        case .malformed(let reason): end(reason)
        case .complete(let source):
            if let source { peer = source }
            early = Array(rest)
            end(nil)
        }
    }

    func ioDrained() {}

    func ioEnded(_ reason: String) { end("\(reason) before its PROXY header") }
}
