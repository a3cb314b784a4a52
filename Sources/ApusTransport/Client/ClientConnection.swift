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
    /// The `:authority` of calls over TLS; nil without TLS, where calls say their channel's name.
    let secureAuthority: String?

    init(
        _ io: any ConnectionIO, loop: any EventLoop, secureAuthority: String? = nil,
        report: @escaping (ClientConnection, Event) -> Void
    ) {
        self.secureAuthority = secureAuthority
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

    // A TLS server's alert. Source: RFC 8446, section 5.1.
    override func foreignProtocol(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.starts(with: [21, 3]) else { return nil }
        return "the server speaks TLS and this channel does not: set TransportOptions.tls"
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
