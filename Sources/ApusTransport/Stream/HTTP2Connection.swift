// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// One HTTP/2 connection: a byte stream and a session, read in batches and written once a turn.
///
/// Servers and clients subclass it. Confined to its loop.
class HTTP2Connection {
    let loop: any EventLoop
    let io: any ConnectionIO
    /// Its number in the process' inventory.
    let inventoryID = Inventory.process.nextID()
    /// The streams that were opened on it, and those of them that were reset or cut.
    @exclusivity(unchecked) var streamsStarted: Int64 = 0
    @exclusivity(unchecked) var streamsFailed: Int64 = 0
    /// PINGs that asked whether the peer is still there.
    var keepalivesSent: Int64 = 0
    private(set) var session: HTTP2Session?
    private(set) var hasSettings = false
    /// Why the connection ended; empty until it has.
    private(set) var closeReason = ""
    // Why the session has nothing to say any more.
    private var endReason = "the session has ended"
    private var isTouched = false
    private(set) var isWriting = false
    // The last writes were large and taken at once.
    private var takesMuch = false
    var isReadingPaused = false
    lazy var progress = LoopTimer { [unowned self] in self.checkProgress() }
    var plan = Plan()
    var life: ConnectionLife?
    lazy var lifeTimer = LoopTimer { [unowned self] in self.checkLife() }
    private(set) var lastInput: MonotonicInstant
    /// When a call last began or ended.
    var lastCall: MonotonicInstant
    private(set) lazy var handshake = LoopTimer { [unowned self] in self.close(Self.silence) }
    static let silence = "the peer did not speak HTTP/2 within the handshake's time"

    private static func reason(_ error: HTTP2Error) -> String { "cannot go on with HTTP/2: \(error)" }

    // A slice of input, so that what it provokes is looked at in between.
    private static let slice = 16 * 1024

    init(_ io: any ConnectionIO, loop: any EventLoop) {
        self.io = io
        self.loop = loop
        lastInput = loop.now
        lastCall = loop.now
    }

    /// Begins: preface and SETTINGS go out, the peer's are expected within `handshakeTimeout`.
    func start(_ settings: HTTP2Settings, handshakeTimeout: Duration) {
        do throws(HTTP2Error) {
            session = try HTTP2Session(settings, delegate: self, memory: loop.sessionMemory)
        } catch {
            return close("no HTTP/2 session: \(error)")
        }
        loop.schedule(handshake, at: loop.now.advanced(by: handshakeTimeout))
        io.start(self)
        // A server speaks when it was spoken to: what is not HTTP/2 can then be answered in its own words.
        if settings.role == .client { touch() }
    }

    /// Asks for a flush at the end of this turn.
    func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.flushAtEndOfTurn(self)
    }

    /// Closes at once; streams that are open end with what ``closeReason`` says.
    func close(_ reason: String) {
        guard closeReason.isEmpty else { return }
        closeReason = reason
        loop.cancel(handshake)
        loop.cancel(progress)
        loop.cancel(lifeTimer)
        let session = session
        self.session = nil
        session?.close(code: HTTP2ErrorCode.cancel)
        if session?.hasBlamed == true { io.closeOnOffender() } else { io.close() }
        closed()
    }

    /// Closes once the session's last words have been handed to the byte stream.
    func closeAfterFlush(_ reason: String) {
        endReason = reason
        flush()
        close(reason)
    }

    // MARK: For subclasses

    /// Whether calls need the connection: then it is not idle, and its peer is asked whether it is there.
    var hasCalls: Bool { session.map { $0.streamCount > 0 } ?? false }
    /// Calls in flight finish, no new ones are taken.
    func drain(_ reason: String) {}
    /// The peer opened a stream.
    func openStream(_ id: Int32) -> HTTP2Stream? { nil }
    /// The peer's first SETTINGS arrived.
    func becameReady() {}
    /// The peer will take no streams above `lastStream`.
    func receivedGoAway(lastStream: Int32, code: UInt32, debug: String) {}
    /// A GOAWAY of ours left.
    func sentGoAway() {}
    /// The peer acknowledged our PING.
    func receivedPingAck(_ payload: UInt64) {}
    /// The peer sent a PING.
    func receivedPing() {}
    /// All of a batch was fed to the session.
    func batchEnded() {}
    /// The session could not take these bytes; the connection is about to close.
    ///
    /// - Returns: whether the peer got an answer already; else it gets what the session has to say.
    func inputFailed(_ bytes: UnsafeRawBufferPointer) -> Bool { false }
    /// Why these bytes, which came before any SETTINGS, cannot be HTTP/2; nil when they may be.
    func foreignProtocol(_ bytes: UnsafeRawBufferPointer) -> String? { nil }
    /// The connection is closed.
    func closed() {}
    /// What was to be written has been handed to the byte stream.
    func flushed() {}
}

extension HTTP2Connection: ConnectionIOHandler {
    func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        lastInput = loop.now
        if !hasSettings, let reason = foreignProtocol(bytes) { return close(reason) }
        var rest = bytes
        while !rest.isEmpty, let session {
            let slice = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.slice))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.slice))
            do throws(HTTP2Error) {
                try session.receive(slice, at: loop.now.nanoseconds)
            } catch {
                if error.isOutOfMemory { return close(Self.reason(error)) }
                let reason = "the peer broke HTTP/2: \(error)"
                return inputFailed(slice) ? close(reason) : closeAfterFlush(reason)
            }
            if session.provokedReplies > Self.patience { limitReplies(session) }
        }
        batchEnded()
        if let session, session.awaitsInput, !progress.timer.isScheduled { checkProgress() }
        touch()
    }

    func ioDrained() {
        isWriting = false
        touch()
    }

    func ioEnded(_ reason: String) { close(reason) }
}

extension HTTP2Connection: TurnFlusher {
    func flush() {
        isTouched = false
        guard let session, !isWriting else { return }
        let output = loop.output
        do throws(HTTP2Error) {
            repeat {
                output.limit = takesMuch ? OutputBuffer.highestWaterMark : OutputBuffer.highWaterMark
                try session.drain(into: output)
                if output.isEmpty { break }
                let count = output.count
                isWriting = !io.write(output)
                takesMuch = !isWriting && (takesMuch || count >= OutputBuffer.highWaterMark)
            } while !isWriting
        } catch {
            output.reset()
            return close(Self.reason(error))
        }
        if !isWriting, session.isFinished { return close(endReason) }
        if isReadingPaused, !isWriting { resumeReading() }
        // What left may be for the peer to answer, and it may never send anything.
        if session.needsProgressCheck { loop.cancel(progress) }
        if session.awaitsInput, !progress.timer.isScheduled { loop.schedule(progress, at: loop.now) }
        flushed()
    }
}

extension HTTP2Connection: HTTP2SessionDelegate {
    func receivedSettings() {
        guard !hasSettings else { return }
        hasSettings = true
        loop.cancel(handshake)
        becameReady()
        startLife()
    }
}
