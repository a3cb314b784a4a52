// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

// What nghttp2's answers mean for the session.
//
// When an allocation fails, parts of nghttp2 (seen in 1.52) leave what they were changing half changed, and
// `nghttp2_session_del` then reads freed memory: `session_attach_stream_item`, for one, gives a stream the item that
// its caller frees. So after NGHTTP2_ERR_NOMEM the library is not called with the session any more, not even to delete
// it: its memory, some 15 KB, is lost. The connection ends.

extension HTTP2Session {
    /// Throws when `result` is an error.
    func check(_ result: Int32) throws(HTTP2Error) {
        guard result < 0 else { return }
        noteFailure(result)
        throw failure ?? HTTP2Error(code: result)
    }

    /// Throws when the session was given up.
    func checkFailure() throws(HTTP2Error) {
        if let failure { throw failure }
    }

    /// Notes how a command ended, and says whether it was carried out.
    ///
    /// Errors but the fatal one say that there is no such stream any more, or that nothing was deferred.
    @discardableResult @inline(__always)
    func carryOut(_ result: Int32) -> Bool {
        if result < 0 { noteFailure(result) }
        return result >= 0
    }

    private func noteFailure(_ result: Int32) {
        guard result == NGHTTP2_ERR_NOMEM.rawValue else { return }
        failure = .outOfMemory
        session = nil
    }
}

extension HTTP2Error {
    /// What nghttp2 says about one of its error codes.
    init(code: Int32) { self.init(code: code, description: String(cString: nghttp2_strerror(code))) }

    /// The library got no memory.
    static var outOfMemory: Self { Self(code: NGHTTP2_ERR_NOMEM.rawValue) }

    /// Whether the library got no memory, which is not the peer's fault.
    package var isOutOfMemory: Bool { code == NGHTTP2_ERR_NOMEM.rawValue }
}
