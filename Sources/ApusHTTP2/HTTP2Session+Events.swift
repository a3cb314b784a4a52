// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

// What the callbacks call.

extension HTTP2Session {
    func opened(_ id: Int32) -> Bool {
        guard let session else { return false }
        guard let stream = delegate.openStream(id) else { return refuse(id, session) }
        stream.id = id
        nghttp2_session_set_stream_user_data(session, id, Unmanaged.passUnretained(stream).toOpaque())
        retain(stream)
        (latest, latestID) = (Unmanaged.passUnretained(stream), id)
        return true
    }

    // Without an object, nobody hears of the stream's events.
    private func refuse(_ id: Int32, _ session: OpaquePointer) -> Bool {
        refusals += 1
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        return carryOut(nghttp2_submit_rst_stream(session, none, id, HTTP2ErrorCode.refusedStream))
    }

    /// Calls `body` with the stream's object, if it has one. Mostly it is the one of the last event.
    @inline(__always)
    func withStream(_ id: Int32, _ body: (HTTP2Stream) -> Void) {
        // Valid: an open stream is retained by the list, and leaves `latest` when it closes.
        if latestID == id, let latest { return latest._withUnsafeGuaranteedRef(body) }
        guard let session, let context = nghttp2_session_get_stream_user_data(session, id) else { return }
        // Valid: a stream's context is the object that the list retains until the stream's close.
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(context)
        (latest, latestID) = (stream, id)
        stream._withUnsafeGuaranteedRef(body)
    }

    func closed(_ id: Int32, code: UInt32) {
        withStream(id) { stream in
            if role == .server, !stream.isReset { order.wasClosed(id) }
            release(stream, code: code)
        }
    }

    func receivedFrame(_ frame: UnsafePointer<nghttp2_frame>) {
        switch nghttp2_frame_type(UInt32(frame.pointee.hd.type)) {
        case NGHTTP2_DATA:
            guard frame.pointee.hd.flags & FrameFlag.endStream != 0 else { return }
            withStream(frame.pointee.hd.stream_id) { $0.receiveEnd() }
        case NGHTTP2_HEADERS:
            let end = frame.pointee.hd.flags & FrameFlag.endStream != 0
            withStream(frame.pointee.hd.stream_id) { $0.receiveFieldsEnd(endStream: end) }
        case NGHTTP2_RST_STREAM:
            withStream(frame.pointee.hd.stream_id) { _ in note(budget.receivedReset(at: now)) }
        case NGHTTP2_SETTINGS:
            if frame.pointee.hd.flags & FrameFlag.acknowledge == 0 {
                delegate.receivedSettings()
            } else {
                watch.receivedSettingsAcknowledgement()
            }
        case NGHTTP2_GOAWAY: receivedGoAway(frame.pointee.goaway)
        case NGHTTP2_PING: receivedPing(frame.pointee.ping)
        default: break
        }
    }

    private func receivedPing(_ frame: nghttp2_ping) {
        guard frame.hd.flags & FrameFlag.acknowledge != 0 else { return delegate.receivedPing() }
        delegate.receivedPingAck(
            withUnsafeBytes(of: frame.opaque_data) { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) })
    }

    private func receivedGoAway(_ frame: nghttp2_goaway) {
        note(budget.receivedGoAway(last: frame.last_stream_id, code: frame.error_code))
        // The peer chooses length and bytes: a short, repaired text is enough for people.
        let debug = UnsafeBufferPointer(start: frame.opaque_data, count: min(frame.opaque_data_len, 256))
        delegate.receivedGoAway(
            lastStream: frame.last_stream_id, code: frame.error_code, debug: String(decoding: debug, as: UTF8.self))
    }

    /// Whether a field of the header block that is being read may be looked at. If not, the library has to stop where
    /// it is: it would go on to unpack what a few bytes refer to.
    @inline(__always)
    func admitsField(_ name: Int, _ value: Int) -> Bool {
        guard let violation = budget.receivedField(name, value) else { return true }
        note(violation)
        return false
    }

    /// A frame that the library will not have; mostly it resets the stream.
    func receivedInvalidFrame(_ frame: nghttp2_frame) {
        note(budget.receivedFault(at: now))
        withStream(frame.hd.stream_id) { $0.isFaulty = true }
    }

    /// Ends the connection for a rule of the owner's, once the bytes that are being taken in were.
    package func reject(_ text: String) { note(.calm(text)) }

    // Only noted: nothing may end a session inside of its callbacks.
    private func note(_ violation: FrameBudget.Violation?) {
        if self.violation == nil { self.violation = violation }
    }

    func sentFrame(_ frame: UnsafePointer<nghttp2_frame>) {
        switch nghttp2_frame_type(UInt32(frame.pointee.hd.type)) {
        case NGHTTP2_DATA:
            workSent &+= 1
            budget.sentData()
        case NGHTTP2_HEADERS:
            workSent &+= 1
            pendingHeaders -= 1
            budget.sentHeaders()
            let end = frame.pointee.hd.flags & FrameFlag.endStream != 0
            withStream(frame.pointee.hd.stream_id) { $0.sentHeaders(endStream: end) }
        case NGHTTP2_RST_STREAM: sentReset(frame.pointee.rst_stream)
        case NGHTTP2_GOAWAY:
            if frame.pointee.goaway.error_code != HTTP2ErrorCode.noError { hasBlamed = true }
            delegate.sentGoAway()
        case NGHTTP2_SETTINGS where frame.pointee.hd.flags & FrameFlag.acknowledge == 0:
            watch.sentSettings()
            budget.sentQuestion()
        case NGHTTP2_PING where frame.pointee.hd.flags & FrameFlag.acknowledge == 0: budget.sentQuestion()
        default: break
        }
    }

    func didNotSend(_ frame: nghttp2_frame) {
        if nghttp2_frame_type(UInt32(frame.hd.type)) == NGHTTP2_HEADERS { pendingHeaders -= 1 }
    }

    private func sentReset(_ frame: nghttp2_rst_stream) {
        order.wasReset(frame.hd.stream_id)
        var isCounted = false
        withStream(frame.hd.stream_id) { stream in
            stream.isReset = true
            isCounted = stream.isResetByOwner || stream.isFaulty
        }
        guard frame.error_code != HTTP2ErrorCode.noError, frame.error_code != HTTP2ErrorCode.cancel else { return }
        if frame.error_code == HTTP2ErrorCode.refusedStream, refusals > 0 {
            refusals -= 1
            return
        }
        if !isCounted { note(budget.receivedFault(at: now)) }
    }

    func nextData(_ stream: HTTP2Stream, limit: Int) -> DataAnswer {
        guard let output, !output._withUnsafeGuaranteedRef(\.isFull) else { return .pause }
        return stream.nextData(limit: limit)
    }

    func sendData(_ stream: HTTP2Stream, header: UnsafeRawBufferPointer, count: Int) {
        guard let output else { return }
        output._withUnsafeGuaranteedRef { output in
            output.append(copying: header)
            if count > 0 { stream.takeData(count, into: output) }
        }
    }
}
