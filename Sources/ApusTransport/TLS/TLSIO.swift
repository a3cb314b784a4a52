// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

/// A byte stream over TLS, on top of any other: first the handshake, then what its handler writes and reads.
///
/// Sendable: confined to its loop; others only hold it.
final class TLSIO: ConnectionIO, @unchecked Sendable {
    private enum Phase {
        /// The handshake waits for its turn.
        case waiting
        case handshaking
        case open
        /// No more is reported; what is on its way is still written.
        case closing
        case closed
    }

    let peer: Endpoint.Address
    private let inner: any ConnectionIO
    private let engine: TLSEngine
    private let loop: any EventLoop
    private let isServer: Bool
    private let slots: HandshakeSlots?
    private var phase: Phase
    private var handler: (any ConnectionIOHandler)?
    private var answer: ((HandshakeResult) -> Void)?
    private var holdsSlot = false
    private var isReading = true
    private var isProcessing = false
    // Whether `inner` still has something to write, and whether the handler was told so.
    private var isWriting = false
    private var handlerWaits = false
    // Ciphertext that came up while `inner` was writing.
    private var backlog: [UInt8] = []
    // Ciphertext that nobody can take yet.
    private var held: [UInt8] = []
    private var hasFirstByte = false
    // Whether a peer that was refused may still read why.
    private var lingers = false
    private lazy var timer = LoopTimer { [unowned self] in self.timedOut() }

    // How long a peer may take for the last bytes, and for reading why its handshake failed.
    private static let lingerTime = Duration.seconds(2)
    // unexpected_message, for whom OpenSSL would not know what to tell. Source: RFC 8446, section 6.
    private static let fatalAlert: [UInt8] = [21, 3, 3, 0, 2, 2, 10]
    // What may wait for its turn with the handshake: any first flight.
    private static let largestHeld = 128 * 1024

    /// Who the other side proved to be.
    private(set) var peerIdentity: PeerIdentity?

    /// How a handshake ended; a failure's text is for people.
    enum HandshakeResult {
        case established
        case failed(String)
    }

    /// - Parameter slots: where a server's handshakes get their turn; nil on a client.
    init(_ inner: any ConnectionIO, _ engine: TLSEngine, loop: any EventLoop, slots: HandshakeSlots? = nil) {
        self.inner = inner
        self.engine = engine
        self.loop = loop
        self.slots = slots
        isServer = slots != nil
        peer = inner.peer
        phase = slots == nil ? .handshaking : .waiting
    }

    /// Whether an earlier session was resumed.
    var isResumed: Bool { engine.isResumed }

    /// The spoken version, such as `TLSv1.3`.
    var version: String { engine.version }

    private var scratch: TLSScratch { loop.tlsScratch }
    private var peerRole: String { isServer ? "client" : "server" }

    // MARK: The handshake

    /// Makes the handshake and answers once, unless this is closed before.
    func handshake(within timeout: Duration, _ answer: @escaping (HandshakeResult) -> Void) {
        self.answer = answer
        loop.schedule(timer, at: loop.now.advanced(by: timeout))
        inner.start(self)
        guard phase == .handshaking, !isServer else { return }
        process(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    // A client that only connects takes no turn: its first bytes ask for one.
    private func askForTurn() {
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

    private func releaseSlot() {
        guard holdsSlot else { return }
        holdsSlot = false
        slots?.release()
    }

    private func step(_ rest: inout UnsafeRawBufferPointer) {
        if let foreign = foreignProtocol(rest) {
            Self.fatalAlert.withUnsafeBytes { scratch.ciphertext.append(copying: $0) }
            send()
            return fail(foreign)
        }
        let result = engine.handshake(&rest, scratch.ciphertext, now: loop.now)
        send()
        switch result {
        case .needsInput: break
        case .failed(let reason): fail(reason)
        case .established:
            phase = .open
            loop.cancel(timer)
            releaseSlot()
            if isServer { peerIdentity = engine.peerIdentity }
            tell(.established)
        }
    }

    private func tell(_ result: HandshakeResult) {
        let answer = answer
        self.answer = nil
        answer?(result)
    }

    private func timedOut() {
        if phase == .closing { return closeInner() }
        fail("the \(peerRole) did not finish the TLS handshake in time")
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

    // MARK: The end

    // A failed handshake or a broken record.
    private func fail(_ reason: String) {
        guard phase != .closing, phase != .closed else { return }
        let handler = handler
        let wasOpen = phase == .open
        // A reset would take away from the client what it was told: it shall close first.
        beginClosing(lingers: isServer && !wasOpen)
        if wasOpen { handler?.ioEnded(reason) } else { tell(.failed(reason)) }
    }

    private func beginClosing(lingers: Bool) {
        phase = .closing
        handler = nil
        held = []
        releaseSlot()
        guard lingers || isWriting else { return closeInner() }
        self.lingers = lingers
        if lingers { inner.setReading(true) }
        loop.schedule(timer, at: loop.now.advanced(by: Self.lingerTime))
    }

    private func closeInner() {
        guard phase != .closed else { return }
        phase = .closed
        loop.cancel(timer)
        inner.close()
    }

    private func ended(_ reason: String) {
        guard phase != .closing else { return closeInner() }
        guard phase != .closed else { return }
        let handler = handler
        let wasOpen = phase == .open
        self.handler = nil
        releaseSlot()
        closeInner()
        if wasOpen { handler?.ioEnded(reason) } else { tell(.failed("\(reason) during the TLS handshake")) }
    }

    // MARK: ConnectionIO

    func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        resume()
    }

    func setReading(_ reading: Bool) {
        isReading = reading
        guard phase == .open else { return }
        inner.setReading(reading)
        if reading { resume() }
    }

    func write(_ output: OutputBuffer) -> Bool {
        defer { output.reset() }
        guard phase == .open else { return false }
        let now = loop.now
        let ciphertext = scratch.ciphertext
        let ok = scratch.forEachRecord(of: output) { engine.encrypt($0, ciphertext, now: now) }
        send()
        handlerWaits = isWriting
        // A connection that has failed is about to report it: its reader finds out.
        return ok && !isWriting
    }

    func close() {
        guard phase != .closing, phase != .closed else { return }
        answer = nil
        if phase == .open {
            engine.shutDown(scratch.ciphertext, now: loop.now)
            send()
        }
        loop.cancel(timer)
        beginClosing(lingers: false)
    }
}

// MARK: Bytes

extension TLSIO: ConnectionIOHandler {
    func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        // Who waits for its end takes nothing more.
        guard phase != .closing, phase != .closed else { return }
        if phase == .waiting, held.isEmpty { askForTurn() }
        guard phase != .waiting, !isProcessing, held.isEmpty else { return hold(bytes) }
        process(bytes)
    }

    func ioDrained() {
        isWriting = false
        if !backlog.isEmpty {
            backlog.withUnsafeBytes { scratch.ciphertext.append(copying: $0) }
            backlog = []
            send()
        }
        guard !isWriting else { return }
        if phase == .closing, !lingers { return closeInner() }
        guard handlerWaits else { return }
        handlerWaits = false
        handler?.ioDrained()
    }

    func ioEnded(_ reason: String) {
        // Without close_notify, somebody on the way may have cut the stream: people should know.
        ended(phase == .open ? "\(reason), without the end that TLS asks for (close_notify)" : reason)
    }

    private func hold(_ bytes: UnsafeRawBufferPointer) {
        guard phase == .waiting || phase == .open || phase == .handshaking else { return }
        held.append(contentsOf: bytes)
        if held.count > Self.largestHeld { fail("the \(peerRole) sends more than can be held") }
    }

    // Takes up what was held.
    private func resume() {
        guard !held.isEmpty, !isProcessing else { return }
        let bytes = held
        held = []
        bytes.withUnsafeBytes { process($0) }
    }

    private func process(_ bytes: UnsafeRawBufferPointer) {
        isProcessing = true
        var rest = bytes
        if phase == .handshaking { step(&rest) }
        while phase == .open, handler != nil, isReading, deliver(&rest) {}
        isProcessing = false
        if phase == .open, !rest.isEmpty { hold(rest) }
    }

    // One buffer of plaintext; returns whether there may be more.
    private func deliver(_ rest: inout UnsafeRawBufferPointer) -> Bool {
        var more = false
        scratch.withPlaintext { buffer in
            let (count, stop) = engine.decrypt(&rest, into: buffer, scratch.ciphertext, now: loop.now)
            send()
            if count > 0 { handler?.ioReceived(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            switch stop {
            case .needsInput: break
            case .full: more = true
            case .closed: receivedClose()
            case .failed(let reason): if phase == .open { fail(reason) }
            }
        }
        return more
    }

    private func receivedClose() {
        guard phase == .open else { return }
        engine.shutDown(scratch.ciphertext, now: loop.now)
        send()
        ended("the peer closed the connection")
    }

    // Hands over what was encrypted, or keeps it until it may be written.
    private func send() {
        let ciphertext = scratch.ciphertext
        guard !ciphertext.isEmpty else { return }
        if isWriting {
            backlog.append(contentsOf: ciphertext.remainder(from: 0))
            ciphertext.reset()
        } else {
            isWriting = !inner.write(ciphertext)
        }
    }
}
