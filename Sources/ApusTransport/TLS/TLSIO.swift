// SPDX-License-Identifier: Apache-2.0

package import ApusCore
package import ApusHTTP2

/// A byte stream over TLS, on top of any other: first the handshake, then what its handler writes and reads.
///
/// Sendable: confined to its loop; others only hold it.
package final class TLSIO: ConnectionIO, @unchecked Sendable {
    /// How a handshake ended.
    package enum HandshakeResult {
        case established
        /// The text is for people.
        case failed(String)
        /// The peer left before it had said anything: a probe, most likely.
        case left
    }

    enum Phase {
        /// The handshake waits for its turn.
        case waiting
        case handshaking
        case open
        /// No more is reported; what is on its way is still written.
        case closing
        case closed
    }

    package let peer: Endpoint.Address
    /// Who a server's client proved to be.
    package internal(set) var peerIdentity: PeerIdentity?
    let inner: any ConnectionIO
    let engine: TLSEngine
    let loop: any EventLoop
    let slots: HandshakeSlots?
    var outlet: CiphertextOutlet
    var phase: Phase
    private var handler: (any ConnectionIOHandler)?
    var answer: ((HandshakeResult) -> Void)?
    var holdsSlot = false
    private var isReading = true
    private var isProcessing = false
    // Whether the handler was told that not everything left.
    private var handlerWaits = false
    // Ciphertext that cannot be processed yet, and whether the engine has plaintext left.
    private var held: [UInt8] = []
    private var engineHasMore = false
    var hasFirstByte = false
    // Whether a peer that was refused may still read why.
    private var lingers = false
    // Whether the peer broke HTTP/2's rules.
    private var isOffended = false
    lazy var timer = LoopTimer { [unowned self] in self.timedOut() }

    // How long a peer may take for the last bytes, and for reading why its handshake failed.
    private static let lingerTime = Duration.seconds(2)
    // Several reads' worth: the stream below was told to stop.
    private static let largestHeld = 256 * 1024

    /// - Parameter slots: where a server's handshakes get their turn; nil on a client.
    init(_ inner: any ConnectionIO, _ engine: TLSEngine, loop: any EventLoop, slots: HandshakeSlots? = nil) {
        self.inner = inner
        self.engine = engine
        self.loop = loop
        self.slots = slots
        outlet = CiphertextOutlet(inner)
        peer = inner.peer
        phase = slots == nil ? .handshaking : .waiting
    }

    /// Whether an earlier session was resumed.
    package var isResumed: Bool { engine.isResumed }

    /// The spoken version, such as `TLSv1.3`.
    package var version: String { engine.version }

    var isServer: Bool { slots != nil }
    private var peerRole: String { isServer ? "client" : "server" }
    var ciphertext: OutputBuffer { loop.tlsScratch.ciphertext }
    private var isOver: Bool { phase == .closing || phase == .closed }

    // MARK: The end

    private func timedOut() {
        if phase == .closing { return closeInner() }
        fail("the \(peerRole) did not finish the TLS handshake in time")
    }

    // A failed handshake or a broken record.
    func fail(_ reason: String) {
        guard !isOver else { return }
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
        guard lingers || outlet.isBusy else { return closeInner() }
        self.lingers = lingers
        if lingers { inner.setReading(true) }
        loop.schedule(timer, at: loop.now.advanced(by: Self.lingerTime))
    }

    private func closeInner() {
        guard phase != .closed else { return }
        phase = .closed
        loop.cancel(timer)
        if isOffended { inner.closeOnOffender() } else { inner.close() }
    }

    // The stream below, or the peer, has ended.
    private func ended(_ reason: String) {
        guard !isOver else { return closeInner() }
        let handler = handler
        let before = phase
        self.handler = nil
        releaseSlot()
        closeInner()
        switch before {
        case .open: handler?.ioEnded(reason)
        case .waiting where held.isEmpty: tell(.left)
        default: tell(.failed("\(reason) during the TLS handshake"))
        }
    }

    // MARK: ConnectionIO

    package var local: Endpoint.Address? { inner.local }
    package var security: ConnectionSecurity? { phase == .open ? engine.security : nil }

    package func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        resume()
    }

    package func setReading(_ reading: Bool) {
        isReading = reading
        guard phase == .open else { return }
        inner.setReading(reading)
        resume()
    }

    package func write(_ output: OutputBuffer) -> Bool {
        defer { output.reset() }
        guard phase == .open else { return false }
        let now = loop.now
        let ciphertext = ciphertext
        let ok = loop.tlsScratch.forEachRecord(of: output) { engine.encrypt($0, ciphertext, now: now) }
        outlet.send(ciphertext)
        handlerWaits = outlet.isBusy
        // From the loop's queue: the handler is still inside its write.
        if !ok { loop.execute { [weak self] in self?.fail("TLS cannot encrypt any more") } }
        return ok && !outlet.isBusy
    }

    package func limitTurn(to bytes: Int) { inner.limitTurn(to: bytes) }

    package func closeOnOffender() {
        isOffended = true
        close()
    }

    package func close() {
        guard !isOver else { return }
        answer = nil
        if phase == .open {
            engine.shutDown(ciphertext, now: loop.now)
            outlet.send(ciphertext)
        }
        loop.cancel(timer)
        beginClosing(lingers: false)
    }
}

// MARK: Bytes

extension TLSIO: ConnectionIOHandler {
    package func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        if phase == .waiting, held.isEmpty { askForTurn() }
        // Who waits for its end takes nothing more.
        guard !isOver else { return }
        if canProcess, held.isEmpty { return process(bytes) }
        held.append(contentsOf: bytes)
        if held.count > Self.largestHeld { return fail("the \(peerRole) sends more than can be held") }
        resume()
    }

    package func ioDrained() {
        outlet.drained(ciphertext)
        guard !outlet.isBusy else { return }
        if phase == .closing, !lingers { return closeInner() }
        guard handlerWaits else { return }
        handlerWaits = false
        handler?.ioDrained()
    }

    package func ioEnded(_ reason: String) {
        // Without close_notify, somebody on the way may have cut the stream: people should know.
        ended(phase == .open ? "\(reason), without the end that TLS asks for (close_notify)" : reason)
    }

    private var canProcess: Bool {
        !isProcessing && (phase == .handshaking || phase == .open && handler != nil && isReading)
    }

    // Takes up what was held.
    func resume() {
        guard canProcess, engineHasMore || !held.isEmpty else { return }
        let bytes = held
        held = []
        bytes.withUnsafeBytes { process($0) }
    }

    func process(_ bytes: UnsafeRawBufferPointer) {
        isProcessing = true
        var rest = bytes
        if phase == .handshaking { handshake(&rest) }
        if phase == .open { engineHasMore = true }
        while engineHasMore, phase == .open, handler != nil, isReading { engineHasMore = deliver(&rest) }
        isProcessing = false
        guard !isOver else { return }
        if !rest.isEmpty { held.insert(contentsOf: rest, at: 0) }
        resume()
    }

    // One buffer of plaintext; returns whether there may be more.
    private func deliver(_ rest: inout UnsafeRawBufferPointer) -> Bool {
        var hasMore = false
        loop.tlsScratch.withPlaintext { buffer in
            let (count, stop) = engine.decrypt(&rest, into: buffer, ciphertext, now: loop.now)
            outlet.send(ciphertext)
            if count > 0 { handler?.ioReceived(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            switch stop {
            case .needsInput: break
            case .full: hasMore = true
            case .closed: receivedClose()
            case .failed(let reason): if phase == .open { fail(reason) }
            }
        }
        return hasMore
    }

    private func receivedClose() {
        guard phase == .open else { return }
        engine.shutDown(ciphertext, now: loop.now)
        outlet.send(ciphertext)
        ended("the peer closed the connection")
    }
}
