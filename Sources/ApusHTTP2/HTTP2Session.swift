// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// What a session tells its owner, besides what it tells its streams.
package protocol HTTP2SessionDelegate: AnyObject {
    /// The peer opened a stream: the object that will receive its events; nil refuses it.
    func openStream(_ id: Int32) -> HTTP2Stream?
    /// The peer's SETTINGS arrived (not an acknowledgement).
    func receivedSettings()
    /// The peer will take no streams above `lastStream`.
    func receivedGoAway(lastStream: Int32, code: UInt32, debug: String)
    /// The peer acknowledged our PING.
    func receivedPingAck(_ payload: UInt64)
    /// The peer sent a PING, which is being acknowledged.
    func receivedPing()
}

/// One end of an HTTP/2 connection without I/O: bytes in, events out; commands in, bytes out.
///
/// Wraps one `nghttp2_session`. Confined to one thread, which the owner chooses. Call nothing of it but the commands
/// while it calls back; ``close()`` least of all.
package final class HTTP2Session {
    // Unchecked: one thread, and no access lasts while something else is called.
    @exclusivity(unchecked) private var session: OpaquePointer?
    unowned(unsafe) private let delegate: any HTTP2SessionDelegate
    @exclusivity(unchecked) private unowned(unsafe) var firstStream: HTTP2Stream?
    @exclusivity(unchecked) private var output: OutputBuffer?
    @exclusivity(unchecked) package private(set) var streamCount = 0
    private let role: HTTP2Settings.Role
    // Unchecked: one thread, and none of these calls back.
    @exclusivity(unchecked) private var scanner: FrameScanner
    @exclusivity(unchecked) private var budget: FrameBudget
    @exclusivity(unchecked) private var order = StreamOrder()
    @exclusivity(unchecked) private var watch = InputWatch()
    @exclusivity(unchecked) private var violation: FrameBudget.Violation?
    // When the bytes arrived that are being taken in.
    @exclusivity(unchecked) private var now: Int64 = 0
    // HEADERS of ours that nghttp2 has not sent.
    @exclusivity(unchecked) private var pendingHeaders = 0
    /// HEADERS and DATA frames that left: work that a peer asked for.
    @exclusivity(unchecked) package private(set) var workSent = 0

    /// A session; its preface and SETTINGS wait to be drained. The delegate must outlive it, or ``close()`` it.
    ///
    /// - Throws: what nghttp2 says when memory is out.
    package init(_ settings: HTTP2Settings, delegate: any HTTP2SessionDelegate) throws(HTTP2Error) {
        self.delegate = delegate
        role = settings.role
        scanner = FrameScanner(expectsPreface: role == .server)
        budget = FrameBudget(role: role)
        // passUnretained: this object deletes the handle before it goes.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let callbacks = HTTP2Callbacks.table
        let result =
            switch role {
            case .server: nghttp2_session_server_new2(&session, callbacks, context, HTTP2Options.server)
            case .client: nghttp2_session_client_new2(&session, callbacks, context, HTTP2Options.client)
            }
        try Self.check(result)
        try submit(settings)
    }

    deinit { close() }

    // MARK: Bytes

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
            if head.type == FrameType.headers, role == .server, !order.opens(head.stream) {
                // The library has to be where the scanner is, to know whether the stream is open.
                let before = max(0, unread.count - rest.count - FrameScanner.headSize)
                try feed(UnsafeRawBufferPointer(rebasing: unread[..<before]))
                unread = UnsafeRawBufferPointer(rebasing: unread[before...])
                try checkOpen(head.stream)
            }
        }
        watch.received(insideFrame: scanner.isInsideFrame, headerBlock: budget.openHeaderBlock, at: now)
        try feed(unread)
    }

    private func feed(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
        guard let session else { return }
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        let consumed = apus_nghttp2_mem_recv(session, start, bytes.count)
        if consumed < 0 { try Self.check(Int32(truncatingIfNeeded: consumed)) }
        if let violation { throw abort(violation) }
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

    /// Frames that wait to be sent because the peer provoked them: acknowledgements, RST_STREAM, WINDOW_UPDATE.
    package var provokedReplies: Int {
        guard let session else { return 0 }
        return nghttp2_session_get_outbound_queue_size(session) - pendingHeaders
    }

    /// Moves what is to be sent into `output`, until that is full.
    package func drain(into output: OutputBuffer) throws(HTTP2Error) {
        guard let session else { return }
        self.output = output
        defer { self.output = nil }
        while !output.isFull {
            var data: UnsafePointer<UInt8>?
            let count = apus_nghttp2_mem_send(session, &data)
            if count < 0 { try Self.check(Int32(truncatingIfNeeded: count)) }
            if count == 0 { return }
            output.append(copying: UnsafeRawBufferPointer(start: data, count: count))
        }
    }

    /// Whether the session still expects or has bytes; when neither, the connection is to be closed.
    package var isFinished: Bool {
        guard let session else { return true }
        return nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    /// Ends the session: every open stream is closed with `code`, then the handle is deleted.
    package func close(code: UInt32 = HTTP2ErrorCode.internalError) {
        guard let session else { return }
        self.session = nil
        while let stream = firstStream { release(stream, code: code) }
        nghttp2_session_del(session)
    }

    // MARK: Commands

    /// Opens a stream for a request. Above the peer's limit it waits inside the session.
    package func submitRequest(_ fields: HeaderBlock, stream: HTTP2Stream) throws(HTTP2Error) {
        guard let session else { throw HTTP2Error(code: NGHTTP2_ERR_INVALID_STATE.rawValue, description: "closed") }
        var provider = HTTP2Callbacks.provider(for: stream)
        let context = Unmanaged.passUnretained(stream).toOpaque()
        let id = fields.withFields { nghttp2_submit_request(session, nil, $0, $1, &provider, context) }
        if id < 0 { try Self.check(id) }
        pendingHeaders += 1
        stream.id = id
        retain(stream)
    }

    /// Sends response headers; DATA follows as the stream provides it. With `end`, nothing follows.
    package func submitResponse(_ fields: HeaderBlock, stream: HTTP2Stream, end: Bool = false) {
        guard let session else { return }
        var provider = HTTP2Callbacks.provider(for: stream)
        let result = fields.withFields { fields, count in
            end
                ? nghttp2_submit_response(session, stream.id, fields, count, nil)
                : nghttp2_submit_response(session, stream.id, fields, count, &provider)
        }
        if result == 0 { pendingHeaders += 1 }
    }

    /// Sends trailers with END_STREAM, from within ``HTTP2Stream/nextData(limit:)`` or after deferred data.
    func submitTrailers(_ fields: HeaderBlock, stream: HTTP2Stream) {
        guard let session else { return }
        if fields.withFields({ nghttp2_submit_trailer(session, stream.id, $0, $1) }) == 0 { pendingHeaders += 1 }
    }

    /// Asks a stream that had nothing to send again.
    package func resumeData(_ stream: HTTP2Stream) {
        guard let session else { return }
        // NGHTTP2_ERR_INVALID_ARGUMENT: no data was deferred, it will be asked for anyway.
        _ = nghttp2_session_resume_data(session, stream.id)
    }

    /// Sends RST_STREAM.
    package func reset(_ stream: HTTP2Stream, code: UInt32) {
        guard let session else { return }
        stream.isResetByOwner = true
        _ = nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code)
    }

    /// Returns credit for bytes that were received, to the connection's window.
    package func consumeConnection(_ count: Int) {
        guard let session, count > 0 else { return }
        _ = nghttp2_session_consume_connection(session, count)
    }

    /// Returns credit for bytes that were received, to the stream's window.
    package func consume(_ count: Int, of stream: HTTP2Stream) {
        guard let session, count > 0 else { return }
        _ = nghttp2_session_consume_stream(session, stream.id, count)
    }

    /// Announces a graceful end: GOAWAY with the highest identifier, so that no request on its way is lost.
    package func submitShutdownNotice() {
        guard let session else { return }
        _ = nghttp2_submit_shutdown_notice(session)
    }

    /// Sends GOAWAY: streams above the last one that was seen are refused, the others go on.
    package func submitGoAway(code: UInt32 = HTTP2ErrorCode.noError, debug: String = "") {
        guard let session else { return }
        let last = role == .server ? nghttp2_session_get_last_proc_stream_id(session) : 0
        let text = Array(debug.utf8)
        _ = nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code, text, text.count)
    }

    /// Sends GOAWAY and nothing after it.
    package func terminate(code: UInt32) {
        guard let session else { return }
        _ = nghttp2_session_terminate_session(session, code)
    }

    /// Sends PING.
    package func submitPing(_ payload: UInt64) {
        guard let session else { return }
        withUnsafeBytes(of: payload.bigEndian) { bytes in
            _ = nghttp2_submit_ping(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes.bindMemory(to: UInt8.self).baseAddress)
        }
    }

    /// Whether a new request may be opened on this connection.
    package var acceptsRequests: Bool {
        guard let session else { return false }
        return nghttp2_session_check_request_allowed(session) != 0
    }

    // MARK: Streams

    private func submit(_ settings: HTTP2Settings) throws(HTTP2Error) {
        guard let session else { return }
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maximumHeaderListSize),
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        switch role {
        case .server:
            entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maximumConcurrentStreams))
        case .client:
            entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        try Self.check(nghttp2_submit_settings(session, none, entries, entries.count))
        let window = Int32(clamping: settings.connectionWindow)
        try Self.check(nghttp2_session_set_local_window_size(session, none, 0, window))
    }

    private func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }

    // The list holds one retain on each of its streams; `release` gives it back.
    fileprivate func retain(_ stream: HTTP2Stream) {
        _ = Unmanaged.passRetained(stream)
        stream.previous = nil
        stream.next = firstStream
        firstStream?.previous = stream
        firstStream = stream
        streamCount += 1
    }

    fileprivate func release(_ stream: HTTP2Stream, code: UInt32) {
        if let previous = stream.previous { previous.next = stream.next } else { firstStream = stream.next }
        stream.next?.previous = stream.previous
        stream.previous = nil
        stream.next = nil
        streamCount -= 1
        stream.closed(code: code)
        Unmanaged.passUnretained(stream).release()
    }

    private static func check(_ result: Int32) throws(HTTP2Error) {
        guard result < 0 else { return }
        throw HTTP2Error(code: result, description: String(cString: nghttp2_strerror(result)))
    }
}

// MARK: What the callbacks call

extension HTTP2Session {
    func opened(_ id: Int32) -> Bool {
        guard let session, let stream = delegate.openStream(id) else { return false }
        stream.id = id
        nghttp2_session_set_stream_user_data(session, id, Unmanaged.passUnretained(stream).toOpaque())
        retain(stream)
        return true
    }

    /// Calls `body` with the stream's object, if it has one.
    @inline(__always)
    func withStream(_ id: Int32, _ body: (HTTP2Stream) -> Void) {
        guard let session, let context = nghttp2_session_get_stream_user_data(session, id) else { return }
        // Valid: a stream's context is the object that the list retains until the stream's close.
        Unmanaged<HTTP2Stream>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
    }

    func closed(_ id: Int32, code: UInt32) {
        withStream(id) { release($0, code: code) }
    }

    func receivedFrame(_ frame: nghttp2_frame) {
        switch nghttp2_frame_type(UInt32(frame.hd.type)) {
        case NGHTTP2_DATA:
            guard frame.hd.flags & FrameFlag.endStream != 0 else { return }
            withStream(frame.hd.stream_id) { $0.receiveEnd() }
        case NGHTTP2_HEADERS:
            let end = frame.hd.flags & FrameFlag.endStream != 0
            withStream(frame.hd.stream_id) { $0.receiveFieldsEnd(endStream: end) }
        case NGHTTP2_RST_STREAM:
            withStream(frame.hd.stream_id) { _ in note(budget.receivedReset(at: now)) }
        case NGHTTP2_SETTINGS:
            if frame.hd.flags & FrameFlag.acknowledge == 0 {
                delegate.receivedSettings()
            } else {
                watch.receivedSettingsAcknowledgement()
            }
        case NGHTTP2_GOAWAY: receivedGoAway(frame.goaway)
        case NGHTTP2_PING: receivedPing(frame.ping)
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

    func sentFrame(_ frame: nghttp2_frame) {
        switch nghttp2_frame_type(UInt32(frame.hd.type)) {
        case NGHTTP2_DATA:
            workSent &+= 1
            budget.sentData()
        case NGHTTP2_HEADERS:
            workSent &+= 1
            pendingHeaders -= 1
            budget.sentHeaders()
            let end = frame.hd.flags & FrameFlag.endStream != 0
            withStream(frame.hd.stream_id) { $0.sentHeaders(endStream: end) }
        case NGHTTP2_RST_STREAM: sentReset(frame.rst_stream)
        case NGHTTP2_SETTINGS where frame.hd.flags & FrameFlag.acknowledge == 0:
            watch.sentSettings()
            budget.sentQuestion()
        case NGHTTP2_PING where frame.hd.flags & FrameFlag.acknowledge == 0: budget.sentQuestion()
        default: break
        }
    }

    func didNotSend(_ frame: nghttp2_frame) {
        if nghttp2_frame_type(UInt32(frame.hd.type)) == NGHTTP2_HEADERS { pendingHeaders -= 1 }
    }

    private func sentReset(_ frame: nghttp2_rst_stream) {
        order.wasReset(frame.hd.stream_id)
        guard frame.error_code != HTTP2ErrorCode.noError, frame.error_code != HTTP2ErrorCode.cancel else { return }
        var isCounted = false
        withStream(frame.hd.stream_id) { isCounted = $0.isResetByOwner || $0.isFaulty }
        if !isCounted { note(budget.receivedFault(at: now)) }
    }

    func nextData(_ stream: HTTP2Stream, limit: Int) -> DataAnswer {
        guard let output, !output.isFull else { return .pause }
        return stream.nextData(limit: limit)
    }

    func sendData(_ stream: HTTP2Stream, header: UnsafeRawBufferPointer, count: Int) {
        guard let output else { return }
        output.append(copying: header)
        if count > 0 { stream.takeData(count, into: output) }
    }
}
