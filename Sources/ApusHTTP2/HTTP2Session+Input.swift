// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

// Every frame is looked at before the library gets it: see ``FrameBudget`` for what a peer may not do.

extension HTTP2Session {
    /// Takes bytes from the peer, looks at their frames, and calls back for what is in them.
    ///
    /// - Parameter now: the moment of their arrival, in nanoseconds of a clock that does not go back.
    /// - Throws: when the connection cannot go on; ``drain(into:)`` may still have a GOAWAY to send.
    package func receive(_ bytes: UnsafeRawBufferPointer, at now: Int64) throws(HTTP2Error) {
        self.now = now
        var rest = bytes
        var unread = bytes
        while let head = scanner.next(&rest) {
            if let violation = budget.received(head, at: now) { throw abort(violation) }
            isLastOfHeaders = head.isOfHeaderBlock
            if head.type == FrameType.headers, role == .server, !order.opens(head.stream) {
                // The library has to be where the scanner is, to know whether the stream is open.
                let before = max(0, unread.count - rest.count - FrameScanner.headSize)
                try feed(UnsafeRawBufferPointer(rebasing: unread[..<before]))
                unread = UnsafeRawBufferPointer(rebasing: unread[before...])
                try checkOpen(head.stream)
            }
            if role == .server { try checkClosed(head) }
        }
        watch.received(insideFrame: scanner.isInsideFrame, headerBlock: openHeaderBlock, at: now)
        try feed(unread)
    }

    // A block's last frame belongs to it up to its last byte.
    private var openHeaderBlock: Int? {
        budget.openHeaderBlock ?? (isLastOfHeaders && scanner.isInsidePayload ? budget.lastHeaderBlock : nil)
    }

    private func feed(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
        guard let session else { return try checkFailure() }
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        let consumed = apus_nghttp2_mem_recv(session, start, bytes.count)
        returnConnectionCredit()
        if consumed < 0 { try check(Int32(truncatingIfNeeded: consumed)) }
        if let violation { throw abort(violation) }
    }

    @inline(__always)
    private func checkClosed(_ head: FrameHead) throws(HTTP2Error) {
        if head.type == FrameType.data, let violation = order.dataViolation(head.stream) { throw abort(violation) }
        if head.type == FrameType.resetStream { order.peerReset(head.stream) }
    }

    private func checkOpen(_ id: Int32) throws(HTTP2Error) {
        guard let session, nghttp2_session_get_stream_user_data(session, id) == nil else { return }
        if let violation = order.violation(id) { throw abort(violation) }
    }

    // After GOAWAY nothing is taken in any more: with a stream held open a peer could go on for as long as it likes.
    private func abort(_ violation: FrameBudget.Violation) -> HTTP2Error {
        submitGoAway(code: violation.code, debug: violation.text)
        return HTTP2Error(code: NGHTTP2_ERR_FLOODED.rawValue, description: violation.text)
    }

    /// Whether a peer has begun something that it does not go on with: then GOAWAY is ready to be drained.
    package func checkProgress(at now: Int64) -> InputWatch.Verdict {
        let verdict = watch.verdict(at: now)
        if case .broken(let violation) = verdict { _ = abort(violation) }
        return verdict
    }

    /// Whether the peer owes the rest of something, so that ``checkProgress(at:)`` should be called some time.
    package var awaitsInput: Bool { watch.isWaiting }

    /// Whether ``checkProgress(at:)`` should be called at once.
    package var needsProgressCheck: Bool { watch.needsLook }

    /// Frames that wait to be sent because the peer provoked them: acknowledgements, RST_STREAM, WINDOW_UPDATE.
    package var provokedReplies: Int {
        guard let session else { return 0 }
        return nghttp2_session_get_outbound_queue_size(session) - pendingHeaders
    }
}
