// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// A connection of a channel. Confined to its loop.
final class ClientConnection: HTTP2Connection {
    /// What the connection tells the subchannel that made it.
    enum Event {
        /// The server's SETTINGS are here: calls may go out.
        case ready
        /// No new calls: those in flight finish, then the connection closes.
        case draining(String)
        /// The server will not be asked so often whether it is there.
        case tooManyPings
        /// The connection is gone.
        case closed(String)
    }

    private var report: ((ClientConnection, Event) -> Void)?
    private var isDraining = false

    init(_ io: any ConnectionIO, loop: UVLoop, report: @escaping (ClientConnection, Event) -> Void) {
        self.report = report
        super.init(io, loop: loop)
    }

    /// Whether a call may be sent on it.
    var acceptsCalls: Bool { hasSettings && !isDraining && session?.acceptsRequests == true }

    /// Lets calls in flight finish and closes then.
    override func drain(_ reason: String) {
        guard !isDraining else { return }
        isDraining = true
        report?(self, .draining(reason))
        touch()
    }

    /// The session said that it opens no more streams: out of identifiers, or told to go away.
    func refusesStreams() { drain("no more streams can be opened") }

    override func becameReady() { report?(self, .ready) }

    override func receivedGoAway(lastStream: Int32, code: UInt32, debug: String) {
        let text = debug.isEmpty ? "" : " (\(debug))"
        // gRFC A8 fixes code and text.
        if code == HTTP2ErrorCode.enhanceYourCalm, debug == "too_many_pings" { report?(self, .tooManyPings) }
        drain("the server sent GOAWAY \(StatusMapping.name(reset: code))\(text)")
    }

    override func flushed() {
        guard isDraining, let session, session.streamCount == 0 else { return }
        close("drained")
    }

    override func closed() {
        let report = report
        self.report = nil
        report?(self, .closed(closeReason))
    }
}
