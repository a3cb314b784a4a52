// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

/// What a connection does about peers that provoke more than they take, or begin what they do not end.
extension HTTP2Connection {
    /// Replies to the peer's frames that may wait: with more, no more frames are read.
    static var patience: Int { 100 }
    // Reached only inside of one read, by frames that each need a reply.
    private static var maximumReplies: Int { 1000 }

    /// Replies that the peer provoked wait to be sent: it has to take them first.
    ///
    /// DATA that waits never stops the reading: two peers that both did so would wait for ever.
    func limitReplies(_ session: HTTP2Session) {
        flush()
        guard isWriting, closeReason.isEmpty else { return }
        guard session.provokedReplies <= Self.maximumReplies else {
            return close("the peer provokes replies and does not read them")
        }
        guard !isReadingPaused else { return }
        isReadingPaused = true
        io.setReading(false)
    }

    /// The replies have left.
    func resumeReading() {
        isReadingPaused = false
        io.setReading(true)
    }

    /// Looks whether the peer went on with what it had begun, and when to look again.
    func checkProgress() {
        guard let session else { return }
        switch session.checkProgress(at: loop.now.nanoseconds) {
        case .idle: break
        case .lookAgain(let moment): loop.schedule(progress, at: MonotonicInstant(nanoseconds: moment))
        // Both times begin together: who has said nothing at all is told so, whichever is noticed first.
        case .broken(let violation):
            let isSilent = violation.code == HTTP2ErrorCode.settingsTimeout && handshake.timer.isScheduled
            closeAfterFlush(isSilent ? Self.silence : "the peer stands still: \(violation.text)")
        }
    }
}
