// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

// The handshake: a server's waits for its turn, ends in time, and tells peers that speak something else so.

extension TLSIO {
    // unexpected_message, for whom OpenSSL would not know what to tell. Source: RFC 8446, section 6.
    private static let fatalAlert: [UInt8] = [21, 3, 3, 0, 2, 2, 10]

    /// Makes the handshake and answers once, unless this is closed before.
    package func handshake(within timeout: Duration, _ answer: @escaping (HandshakeResult) -> Void) {
        self.answer = answer
        loop.schedule(timer, at: loop.now.advanced(by: timeout))
        inner.start(self)
        if phase == .handshaking, !isServer { process(UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    // A client that only connects takes no turn: its first bytes ask for one.
    func askForTurn() {
        guard let slots else { return }
        let answer = slots.acquire { [weak self, loop] in
            loop.execute { [weak self] in
                if let self { self.turnCame(slots) } else { slots.release() }
            }
        }
        switch answer {
        case .granted: startHandshake()
        case .queued: inner.setReading(false)
        case .refused: fail("too many handshakes at once")
        }
    }

    private func turnCame(_ slots: HandshakeSlots) {
        guard phase == .waiting else { return slots.release() }
        startHandshake()
        inner.setReading(true)
        resume()
    }

    private func startHandshake() {
        holdsSlot = true
        phase = .handshaking
    }

    func releaseSlot() {
        guard holdsSlot else { return }
        holdsSlot = false
        slots?.release()
    }

    func handshake(_ input: inout UnsafeRawBufferPointer) {
        if let foreign = foreignProtocol(input) {
            Self.fatalAlert.withUnsafeBytes { ciphertext.append(copying: $0) }
            outlet.send(ciphertext)
            return fail(foreign)
        }
        let result = engine.handshake(&input, ciphertext, now: loop.now)
        outlet.send(ciphertext)
        switch result {
        case .needsInput: break
        case .failed(let reason): fail(reason)
        case .established: established()
        }
    }

    private func established() {
        phase = .open
        loop.cancel(timer)
        releaseSlot()
        if isServer { peerIdentity = engine.peerIdentity }
        tell(.established)
    }

    func tell(_ result: HandshakeResult) {
        let answer = answer
        self.answer = nil
        answer?(result)
    }

    // The first byte of TLS is a handshake's or an alert's. Source: RFC 8446, section 5.1.
    private func foreignProtocol(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard !hasFirstByte, let first = bytes.first else { return nil }
        hasFirstByte = true
        guard first != 22, first != 21 else { return nil }
        if !isServer { return "the server does not speak TLS" }
        if ForeignProtocol.looksLikeHTTP1(bytes) { return "the client speaks plain HTTP/1, and this port TLS" }
        return bytes.starts(with: "PRI ".utf8)
            ? "the client speaks HTTP/2 without TLS, and this port with it" : "the client does not speak TLS"
    }
}
