// SPDX-License-Identifier: Apache-2.0

/// What a stream can give to a DATA frame now.
public enum DataAnswer {
    /// This many bytes, more may follow.
    case bytes(Int)
    /// This many bytes, and then END_STREAM.
    case bytesAndEnd(Int)
    /// This many bytes, and then ``HTTP2Stream/trailers()`` with END_STREAM.
    case bytesAndTrailers(Int)
    /// Nothing now: ``HTTP2Session/resumeData(_:)`` tells when there is more.
    case later
    /// The output is full: ask again when it was written.
    case pause
}

/// One HTTP/2 stream as its session sees it: events in, DATA out. Subclassed by the users of a session.
///
/// nghttp2 owns the stream's states (RFC 9113, section 5.1); a subclass models only what it carries. Confined to the
/// session's thread. The session keeps the object alive from the stream's start until ``closed(code:)``.
open class HTTP2Stream {
    /// The stream's identifier; 0 before a request was submitted.
    @exclusivity(unchecked) public internal(set) var id: Int32 = 0

    // The session's list of its open streams. Unmanaged: a stream is in the list exactly while the session holds a
    // retain on it, and a session releases its streams before it goes.
    @exclusivity(unchecked) var previous: Unmanaged<HTTP2Stream>?
    @exclusivity(unchecked) var next: Unmanaged<HTTP2Stream>?
    @exclusivity(unchecked) var session: Unmanaged<HTTP2Session>?

    // Credit for its window that waits to be returned.
    @exclusivity(unchecked) var credit = 0
    // Whose doing a reset is: ours, or the library's because of the peer's frames.
    @exclusivity(unchecked) var isResetByOwner = false
    @exclusivity(unchecked) var isFaulty = false
    // Whether RST_STREAM left: the peer may not know it yet.
    @exclusivity(unchecked) var isReset = false

    /// A stream that no session knows yet.
    public init() {}

    /// Returns credit for bytes that were received, to the stream's window. Does nothing once the stream is closed.
    package final func consume(_ count: Int) {
        credit += count
        session?._withUnsafeGuaranteedRef { $0.returnCredit(of: self) }
    }

    /// One field of a header block.
    open func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
    /// A header block is complete.
    open func receiveFieldsEnd(endStream: Bool) {}
    /// A piece of DATA, without padding. The pointer is valid only during the call.
    open func receiveData(_ bytes: UnsafeRawBufferPointer) {}
    /// END_STREAM came with a DATA frame.
    open func receiveEnd() {}
    /// A HEADERS frame of this stream left.
    open func sentHeaders(endStream: Bool) {}
    /// What the next DATA frame may carry, `limit` bytes at most.
    open func nextData(limit: Int) -> DataAnswer { .later }
    /// What follows the bytes, once ``nextData(limit:)`` has said so.
    open func trailers() -> HeaderBlock { HeaderBlock() }
    /// Appends the bytes that ``nextData(limit:)`` has promised.
    open func takeData(_ count: Int, into output: OutputBuffer) {}
    /// The stream is over; `code` is 0 (NO_ERROR) or an RFC 9113 error code.
    open func closed(code: UInt32) {}
}
