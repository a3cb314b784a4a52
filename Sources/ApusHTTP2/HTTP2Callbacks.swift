// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// The functions that nghttp2 calls, and the table of them. Nothing thrown crosses C; none of them deletes a session.
///
/// `context` is the `HTTP2Session` that made the nghttp2 session and deletes it before it goes: hence unretained.
enum HTTP2Callbacks {
    // Made once, never changed, never freed: safe to share between threads.
    nonisolated(unsafe) static let table: OpaquePointer? = {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
        nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onDataChunk)
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, onInvalidFrame)
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onFrameSent)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, onFrameNotSent)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onStreamClose)
        nghttp2_session_callbacks_set_send_data_callback(callbacks, onSendData)
        return callbacks
    }()

    static func provider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        // Unretained: nghttp2 asks only while the stream is open, and until then the session retains it.
        provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        provider.read_callback = onRead
        return provider
    }
}

// Without a retain: the session lives at least as long as the call into nghttp2 that calls back.
@inline(__always)
private func withSession<R>(_ context: UnsafeMutableRawPointer?, _ none: R, _ body: (HTTP2Session) -> R) -> R {
    guard let context else { return none }
    return Unmanaged<HTTP2Session>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
}

// What a callback answers: an error once the session was given up, so that nghttp2 goes on with nothing.
@inline(__always)
private func report(_ context: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Void) -> Int32 {
    withSession(context, 0) { session in
        body(session)
        return session.callbackAnswer
    }
}

extension HTTP2Session {
    fileprivate var callbackAnswer: Int32 { session == nil ? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue : 0 }
}

private func onBeginHeaders(
    _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame else { return 0 }
    withSession(context, ()) { $0.budget.beganFields() }
    guard frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return 0 }
    // The manual of nghttp2_on_begin_headers_callback: this answer resets the stream and nothing else.
    return withSession(context, false) { $0.opened(frame.pointee.hd.stream_id) }
        ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
}

private func onHeader(
    _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
    value: UnsafePointer<UInt8>?, valueCount: Int, _: UInt8, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame else { return 0 }
    return withSession(context, 0) { session in
        guard session.admitsField(nameCount, valueCount) else { return NGHTTP2_ERR_PAUSE.rawValue }
        session.withStream(frame.pointee.hd.stream_id) { stream in
            stream.receiveField(
                name: UnsafeRawBufferPointer(start: name, count: nameCount),
                value: UnsafeRawBufferPointer(start: value, count: valueCount))
        }
        return session.callbackAnswer
    }
}

private func onDataChunk(
    _: OpaquePointer?, _: UInt8, id: Int32, data: UnsafePointer<UInt8>?, count: Int, context: UnsafeMutableRawPointer?
) -> Int32 {
    report(context) { session in
        session.connectionCredit += count
        session.withStream(id) { $0.receiveData(UnsafeRawBufferPointer(start: data, count: count)) }
    }
}

private func onFrame(
    _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame else { return 0 }
    return report(context) { $0.receivedFrame(frame) }
}

private func onInvalidFrame(
    _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, _: Int32, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame else { return 0 }
    return report(context) { $0.receivedInvalidFrame(frame.pointee) }
}

private func onFrameNotSent(
    _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, _: Int32, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame else { return 0 }
    return report(context) { $0.didNotSend(frame.pointee) }
}

private func onFrameSent(
    _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame else { return 0 }
    return report(context) { $0.sentFrame(frame) }
}

// Always 0: an error returned here leaks the stream (CVE-2023-35945 is not fixed in every version we meet).
private func onStreamClose(_: OpaquePointer?, id: Int32, code: UInt32, context: UnsafeMutableRawPointer?) -> Int32 {
    withSession(context, ()) { $0.closed(id, code: code) }
    return 0
}

private func onRead(
    _: OpaquePointer?, id: Int32, _: UnsafeMutablePointer<UInt8>?, limit: Int, flags: UnsafeMutablePointer<UInt32>?,
    source: UnsafeMutablePointer<nghttp2_data_source>?, context: UnsafeMutableRawPointer?
) -> Int {
    guard let pointer = source?.pointee.ptr, let flags else { return 0 }
    let noCopy = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    let end = NGHTTP2_DATA_FLAG_EOF.rawValue
    let answer = withSession(context, DataAnswer.pause) { session in
        Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session.nextData($0, limit: limit) }
    }
    switch answer {
    case .bytes(let count):
        flags.pointee = noCopy
        return count
    case .bytesAndEnd(let count):
        flags.pointee = noCopy | end
        return count
    case .bytesAndTrailers(let count):
        flags.pointee = noCopy | end | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        let result = report(context) { session in
            Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
                session.submitTrailers($0.trailers(), stream: $0)
            }
        }
        return result == 0 ? count : Int(result)
    case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    case .pause: return Int(NGHTTP2_ERR_PAUSE.rawValue)
    }
}

private func onSendData(
    _: OpaquePointer?, frame: UnsafeMutablePointer<nghttp2_frame>?, header: UnsafePointer<UInt8>?, count: Int,
    source: UnsafeMutablePointer<nghttp2_data_source>?, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let pointer = source?.pointee.ptr else { return 0 }
    withSession(context, ()) { session in
        Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
            session.sendData(stream, header: UnsafeRawBufferPointer(start: header, count: 9), count: count)
        }
    }
    return 0
}
