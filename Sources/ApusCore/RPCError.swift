// SPDX-License-Identifier: Apache-2.0

/// The one error that a call throws: its status, what came with it, and *why*.
///
/// A value of one word, so that it is cheap to throw and to keep.
public struct RPCError: Error, Sendable {
    /// How far the call got before it failed: what a retry may rely on.
    public enum Progress: Int, Sendable, Hashable {
        /// No connection could be had: nothing was sent, and trying at once again will not help.
        case notConnected
        /// There was a connection, but nothing of this try left: it is safe to try again, whatever the method does.
        case notSent
        /// The server said that it did not process the call (REFUSED_STREAM, or above GOAWAY's last id).
        case refused
        /// The call may have had its effect.
        case sent
        /// The head of its response has arrived: the call is committed, and no retry may repeat it (gRFC A6). A status
        /// that came alone, without a head before it (Trailers-Only), leaves a call ``sent``.
        case answered
    }

    private final class Box: Sendable {
        let status: Status
        let metadata: Metadata
        let progress: Progress
        let peer: Endpoint?
        let cause: String
        let notes: [String]
        let pickedHandle: EndpointHandle?

        init(
            status: Status, metadata: Metadata, progress: Progress, peer: Endpoint?, cause: String, notes: [String],
            pickedHandle: EndpointHandle?
        ) {
            self.status = status
            self.metadata = metadata
            self.progress = progress
            self.peer = peer
            self.cause = cause
            self.notes = notes
            self.pickedHandle = pickedHandle
        }
    }

    private var box: Box

    /// An error with a code and a message.
    ///
    /// - Parameters:
    ///   - metadata: trailing metadata, sent by a server with the status.
    ///   - progress: how far the call got.
    ///   - peer: the endpoint that was tried.
    ///   - cause: the last thing that went wrong below the call, such as a connection error.
    public init(
        _ code: Status.Code, _ message: String, details: [UInt8] = [], metadata: Metadata = Metadata(),
        progress: Progress = .sent, peer: Endpoint? = nil, cause: String = ""
    ) {
        self.init(
            Status(code, message, details: details), metadata: metadata, progress: progress, peer: peer, cause: cause)
    }

    /// An error with a whole status.
    public init(
        _ status: Status, metadata: Metadata = Metadata(), progress: Progress = .sent, peer: Endpoint? = nil,
        cause: String = ""
    ) {
        box = Box(
            status: status, metadata: metadata, progress: progress, peer: peer, cause: cause, notes: [],
            pickedHandle: nil)
    }

    /// How the call ended.
    public var status: Status { box.status }
    /// The status' code.
    public var code: Status.Code { box.status.code }
    /// The status' message.
    public var message: String { box.status.message }
    /// A serialized `google.rpc.Status`, empty when there is none.
    public var details: [UInt8] { box.status.details }

    /// The trailing metadata that came with the status.
    public var metadata: Metadata { box.metadata }
    /// How far the call got.
    public var progress: Progress { box.progress }
    /// The endpoint that was tried last; nil when none was chosen.
    public var peer: Endpoint? { box.peer }
    /// The last thing that went wrong below the call; empty when nothing is known.
    public var cause: String { box.cause }
    /// What interceptors have to say about it, such as "attempt 3 of 4", in the order in which they said it.
    public var notes: [String] { box.notes }
    /// The handle that a balancer chose for the try that failed: what a retry avoids.
    package var pickedHandle: EndpointHandle? { box.pickedHandle }

    /// The same error, seen from further up: with the peer, the metadata, the code or a note changed.
    public func with(
        status: Status? = nil, metadata: Metadata? = nil, progress: Progress? = nil, peer: Endpoint? = nil,
        note: String? = nil
    ) -> RPCError {
        var copy = self
        copy.box = Box(
            status: status ?? box.status, metadata: metadata ?? box.metadata, progress: progress ?? box.progress,
            peer: peer ?? box.peer, cause: box.cause, notes: note.map { box.notes + [$0] } ?? box.notes,
            pickedHandle: box.pickedHandle)
        return copy
    }

    /// The same error of a try at the endpoint that a balancer chose.
    package func at(_ handle: EndpointHandle) -> RPCError {
        var copy = self
        copy.box = Box(
            status: box.status, metadata: box.metadata, progress: box.progress, peer: box.peer ?? handle.endpoint,
            cause: box.cause, notes: box.notes, pickedHandle: handle)
        return copy
    }

    /// Any error as an `RPCError`: itself, CANCELLED for a `CancellationError`, else UNKNOWN with the error's text.
    ///
    /// For errors of the caller's own process only: a server does not show such texts to its peers.
    public init(wrapping error: any Error) {
        switch error {
        case let error as RPCError: self = error
        case is CancellationError: self.init(.cancelled, "the calling task was cancelled")
        default: self.init(.unknown, "\(error)")
        }
    }
}

extension RPCError: CustomStringConvertible {
    /// One line: code, message, and in parentheses the peer, the cause and the notes.
    public var description: String {
        var context: [String] = []
        if let peer { context.append("peer \(peer.address)") }
        if !cause.isEmpty { context.append(cause) }
        context += notes
        return context.isEmpty ? "\(status)" : "\(status) (\(context.joined(separator: ", ")))"
    }
}

extension RPCError: Equatable {
    /// Whether both errors have the same status, metadata and progress.
    public static func == (left: RPCError, right: RPCError) -> Bool {
        left.status == right.status && left.metadata == right.metadata && left.progress == right.progress
    }
}
