// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// What a session tells its owner, besides what it tells its streams.
package protocol HTTP2SessionDelegate: AnyObject {
    /// The peer opened a stream: the object that will receive its events; nil refuses it (REFUSED_STREAM).
    func openStream(_ id: Int32) -> HTTP2Stream?
    /// The peer's SETTINGS arrived (not an acknowledgement).
    func receivedSettings()
    /// The peer will take no streams above `lastStream`.
    func receivedGoAway(lastStream: Int32, code: UInt32, debug: String)
    /// A GOAWAY of ours left. Commands may be given.
    func sentGoAway()
    /// The peer acknowledged our PING.
    func receivedPingAck(_ payload: UInt64)
    /// The peer sent a PING, which is being acknowledged.
    func receivedPing()
}

extension HTTP2SessionDelegate {
    /// Does nothing.
    package func sentGoAway() {}
}

/// One end of an HTTP/2 connection without I/O: bytes in, events out; commands in, bytes out.
///
/// Wraps one `nghttp2_session`. Confined to one thread, which the owner chooses. Call nothing of it but the commands
/// while it calls back; ``close()`` least of all.
package final class HTTP2Session {
    // Unchecked: one thread, and no access lasts while something else is called.
    @exclusivity(unchecked) var session: OpaquePointer?
    unowned(unsafe) let delegate: any HTTP2SessionDelegate
    @exclusivity(unchecked) private var firstStream: Unmanaged<HTTP2Stream>?
    // The open stream that the last event was of, or none.
    @exclusivity(unchecked) var latest: Unmanaged<HTTP2Stream>?
    @exclusivity(unchecked) var latestID: Int32 = 0
    // Where it writes while it is being drained; the caller keeps it.
    @exclusivity(unchecked) var output: Unmanaged<OutputBuffer>?
    @exclusivity(unchecked) package private(set) var streamCount = 0
    let role: HTTP2Settings.Role
    // Unchecked: one thread, and none of these calls back.
    @exclusivity(unchecked) var scanner: FrameScanner
    @exclusivity(unchecked) var budget: FrameBudget
    // Whether the last head that was seen is that of a piece of a header block.
    @exclusivity(unchecked) var isLastOfHeaders = false
    @exclusivity(unchecked) var order = StreamOrder()
    @exclusivity(unchecked) var watch: InputWatch
    @exclusivity(unchecked) var violation: FrameBudget.Violation?
    // When the bytes arrived that are being taken in.
    @exclusivity(unchecked) var now: Int64 = 0
    // Streams that the delegate refused and whose RST_STREAM has not left.
    @exclusivity(unchecked) var refusals = 0
    // HEADERS of ours that nghttp2 has not sent.
    @exclusivity(unchecked) var pendingHeaders = 0
    /// Whether a GOAWAY left that tells the peer of an error.
    @exclusivity(unchecked) package internal(set) var hasBlamed = false
    /// HEADERS and DATA frames that left: work that a peer asked for.
    @exclusivity(unchecked) package internal(set) var workSent = 0

    // nghttp2 uses it as long as it is called with the handle.
    private let memory: HTTP2Memory?
    // Bytes of DATA that arrived and whose credit for the connection was not returned yet.
    @exclusivity(unchecked) var connectionCredit = 0
    // What a stream's credit must come to before it is returned: what is held back must not stop a peer, which goes on
    // while half of its window is left.
    private let leastCredit: Int
    // Why the handle was given up.
    @exclusivity(unchecked) var failure: HTTP2Error?

    /// A session; its preface and SETTINGS wait to be drained. The delegate must outlive it, or ``close()`` it.
    ///
    /// - Parameter memory: where nghttp2 gets its memory; nil for the C library's.
    /// - Throws: what nghttp2 says when memory is out.
    package init(
        _ settings: HTTP2Settings, delegate: any HTTP2SessionDelegate, memory: HTTP2Memory? = nil
    ) throws(HTTP2Error) {
        self.delegate = delegate
        self.memory = memory
        role = settings.role
        leastCredit = min(8 * 1024, Int(settings.streamWindow) / 4)
        scanner = FrameScanner(expectsPreface: role == .server)
        budget = FrameBudget(role: role, headerListSize: Int(settings.maximumHeaderListSize))
        watch = InputWatch(settings.inputTimes)
        // passUnretained: this object deletes the handle before it goes.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let callbacks = HTTP2Callbacks.table
        guard callbacks != nil, let options = settings.role == .server ? HTTP2Options.server : HTTP2Options.client
        else { throw .outOfMemory }
        var handle: OpaquePointer?
        let result = HTTP2Memory.withTable(of: memory) { table in
            switch settings.role {
            case .server: nghttp2_session_server_new3(&handle, callbacks, context, options, table)
            case .client: nghttp2_session_client_new3(&handle, callbacks, context, options, table)
            }
        }
        try check(result)
        session = handle
        try submit(settings)
    }

    deinit { close() }

    // MARK: Bytes

    /// Moves what is to be sent into `output`, until that is full.
    ///
    /// - Throws: when the connection cannot go on, because memory was out now or at an earlier command, say.
    package func drain(into output: OutputBuffer) throws(HTTP2Error) {
        guard let session else { return try checkFailure() }
        self.output = Unmanaged.passUnretained(output)
        defer { self.output = nil }
        while !output.isFull {
            var data: UnsafePointer<UInt8>?
            let count = apus_nghttp2_mem_send(session, &data)
            if count < 0 { try check(Int32(truncatingIfNeeded: count)) }
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
        let session = session
        self.session = nil
        while let stream = firstStream { stream._withUnsafeGuaranteedRef { release($0, code: code) } }
        nghttp2_session_del(session)
    }

    // MARK: Commands

    /// Opens a stream for a request. Above the peer's limit it waits inside the session.
    package func submitRequest(_ fields: HeaderBlock, stream: HTTP2Stream) throws(HTTP2Error) {
        let session = try usable()
        try opened(stream, fields.withFields { Self.request(session, $0, $1, stream) })
    }

    private func usable() throws(HTTP2Error) -> OpaquePointer {
        try checkFailure()
        guard let session else { throw HTTP2Error(code: NGHTTP2_ERR_INVALID_STATE.rawValue, description: "closed") }
        return session
    }

    private static func request(
        _ session: OpaquePointer, _ fields: UnsafePointer<nghttp2_nv>, _ count: Int, _ stream: HTTP2Stream
    ) -> Int32 {
        var provider = HTTP2Callbacks.provider(for: stream)
        let context = Unmanaged.passUnretained(stream).toOpaque()
        return nghttp2_submit_request(session, nil, fields, count, &provider, context)
    }

    private func opened(_ stream: HTTP2Stream, _ id: Int32) throws(HTTP2Error) {
        if id < 0 { try check(id) }
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
        if carryOut(result) { pendingHeaders += 1 }
    }

    /// Sends trailers with END_STREAM. From within ``HTTP2Stream/nextData(limit:)`` they follow its data; else they go
    /// out at once, and data that waits for the peer's window is dropped.
    package func submitTrailers(_ fields: HeaderBlock, stream: HTTP2Stream) {
        guard let session else { return }
        if carryOut(fields.withFields { nghttp2_submit_trailer(session, stream.id, $0, $1) }) { pendingHeaders += 1 }
    }

    /// Asks a stream that had nothing to send again.
    package func resumeData(_ stream: HTTP2Stream) {
        guard let session else { return }
        // NGHTTP2_ERR_INVALID_ARGUMENT: no data was deferred, it will be asked for anyway.
        carryOut(nghttp2_session_resume_data(session, stream.id))
    }

    /// Sends RST_STREAM.
    package func reset(_ stream: HTTP2Stream, code: UInt32) {
        guard let session else { return }
        stream.isResetByOwner = true
        carryOut(nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code))
    }

    // To the stream's window, once enough has come together: the library tells the peer only of half a window at a time.
    func returnCredit(of stream: HTTP2Stream) {
        guard let session, stream.credit > leastCredit else { return }
        defer { stream.credit = 0 }
        carryOut(nghttp2_session_consume_stream(session, stream.id, stream.credit))
    }

    // Of all that a slice of input brought, at its end.
    func returnConnectionCredit() {
        guard let session, connectionCredit > 0 else { return }
        defer { connectionCredit = 0 }
        carryOut(nghttp2_session_consume_connection(session, connectionCredit))
    }

    /// Announces a graceful end: GOAWAY with the highest identifier, so that no request on its way is lost.
    package func submitShutdownNotice() {
        guard let session else { return }
        carryOut(nghttp2_submit_shutdown_notice(session))
    }

    /// Sends GOAWAY: streams above the last one that was seen are refused, the others go on.
    package func submitGoAway(code: UInt32 = HTTP2ErrorCode.noError, debug: String = "") {
        guard let session else { return }
        let last = role == .server ? nghttp2_session_get_last_proc_stream_id(session) : 0
        let text = Array(debug.utf8)
        carryOut(
            nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code, text, text.count))
    }

    /// Sends GOAWAY and nothing after it.
    package func terminate(code: UInt32) {
        guard let session else { return }
        carryOut(nghttp2_session_terminate_session(session, code))
    }

    /// Sends PING.
    package func submitPing(_ payload: UInt64) {
        guard let session else { return }
        let result = withUnsafeBytes(of: payload.bigEndian) { bytes in
            nghttp2_submit_ping(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes.bindMemory(to: UInt8.self).baseAddress)
        }
        carryOut(result)
    }

    /// Whether a new request may be opened on this connection.
    package var acceptsRequests: Bool {
        guard let session else { return false }
        return nghttp2_session_check_request_allowed(session) != 0
    }

    /// Requests that the peer takes at once: 100 until its first SETTINGS.
    package var maximumRequests: Int {
        guard let session else { return 0 }
        return Int(nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
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
        try check(nghttp2_submit_settings(session, none, entries, entries.count))
        let window = Int32(clamping: settings.connectionWindow)
        try check(nghttp2_session_set_local_window_size(session, none, 0, window))
    }

    private func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }

    /// Calls `body` with each open stream; it may not close any.
    package func forEachStream(_ body: (HTTP2Stream) -> Void) {
        var stream = firstStream
        while let current = stream {
            current._withUnsafeGuaranteedRef {
                stream = $0.next
                body($0)
            }
        }
    }

    // The list holds one retain on each of its streams; `release` gives it back.
    func retain(_ stream: HTTP2Stream) {
        let entry = Unmanaged.passRetained(stream)
        stream.session = Unmanaged.passUnretained(self)
        stream.previous = nil
        stream.next = firstStream
        firstStream?._withUnsafeGuaranteedRef { $0.previous = entry }
        firstStream = entry
        streamCount += 1
    }

    func release(_ stream: HTTP2Stream, code: UInt32) {
        let (previous, next) = (stream.previous, stream.next)
        if let previous { previous._withUnsafeGuaranteedRef { $0.next = next } } else { firstStream = next }
        next?._withUnsafeGuaranteedRef { $0.previous = previous }
        stream.previous = nil
        stream.next = nil
        stream.session = nil
        if latestID == stream.id { latest = nil }
        streamCount -= 1
        stream.closed(code: code)
        Unmanaged.passUnretained(stream).release()
    }
}
