// SPDX-License-Identifier: Apache-2.0

/// A call as a server's interceptors and handlers see it.
public struct ServerCall: Sendable {
    // Behind one reference, with the responder: calls are copied often.
    let source: any ServerCallSource
    // An interceptor's, which stands in front of the source's.
    private var otherResponder: (any ServerResponder)?
    /// The request.
    public var request: MessageBody

    /// The method.
    public var method: MethodDescriptor { source.method }
    /// The metadata that came with the call.
    public var metadata: Metadata { source.metadata }
    /// When the client gives up; ``CallDeadline/none`` when it did not say.
    public var deadline: CallDeadline { source.deadline }
    /// The address of the client's end of the connection.
    public var peer: Endpoint.Address { source.origin.peer }
    /// Who the client is, as its verified certificate says; nil without one.
    public var peerIdentity: PeerIdentity? { source.origin.identity }
    /// Where the response goes.
    public var responder: any ServerResponder {
        get { otherResponder ?? source.responder }
        set { otherResponder = newValue }
    }

    /// A call as a transport starts it.
    public init(
        method: MethodDescriptor, metadata: Metadata, deadline: CallDeadline, peer: Endpoint.Address,
        peerIdentity: PeerIdentity? = nil, request: MessageBody, responder: any ServerResponder
    ) {
        let origin = Origin(peer: peer, identity: peerIdentity)
        self.init(
            Parts(method: method, metadata: metadata, deadline: deadline, origin: origin, responder: responder),
            request: request)
    }

    /// A call that a transport knows already.
    package init(_ source: any ServerCallSource, request: MessageBody) {
        self.source = source
        self.request = request
    }

    private final class Parts: ServerCallSource {
        let method: MethodDescriptor
        let metadata: Metadata
        let deadline: CallDeadline
        let origin: Origin
        let responder: any ServerResponder
        var record: CallRecord? { responder.record }

        init(
            method: MethodDescriptor, metadata: Metadata, deadline: CallDeadline, origin: Origin,
            responder: any ServerResponder
        ) {
            self.method = method
            self.metadata = metadata
            self.deadline = deadline
            self.origin = origin
            self.responder = responder
        }
    }

    /// Whose calls they are that come over one connection.
    package final class Origin: Sendable {
        package let peer: Endpoint.Address
        package let identity: PeerIdentity?

        package init(peer: Endpoint.Address, identity: PeerIdentity?) {
            self.peer = peer
            self.identity = identity
        }
    }

    /// Sets the initial metadata of the response; it goes out with the first message, or with
    /// ``sendInitialMetadata()``. Without effect once it has left.
    public func setInitialMetadata(_ metadata: Metadata) { responder.setInitialMetadata(metadata) }

    /// Sends the initial metadata now, before the first message is there.
    public func sendInitialMetadata() { responder.sendInitialMetadata() }

    /// Sets the trailing metadata, sent with the status.
    public func setTrailers(_ metadata: Metadata) { responder.setTrailers(metadata) }

    /// Compresses the response's messages, if the client can read that; `.identity` sends them as they are, whatever
    /// the server does with others. To be called before the first message and before ``sendInitialMetadata()``.
    ///
    /// - Returns: whether it will be so. False when the client does not accept this compression, when the server has no
    ///   such compressor, or when it is too late.
    @discardableResult
    public func compressResponses(with compression: Compression = .gzip) -> Bool {
        responder.compressResponses(with: compression)
    }
}

/// What stands of a call before its handler begins. Safe from any thread from then on.
package protocol ServerCallSource: AnyObject, Sendable {
    var method: MethodDescriptor { get }
    var metadata: Metadata { get }
    var deadline: CallDeadline { get }
    var origin: ServerCall.Origin { get }
    var responder: any ServerResponder { get }
    var record: CallRecord? { get }
}

/// The response half of a call, as the transport gives it to the server. Safe from any task.
public protocol ServerResponder: AnyObject, Sendable {
    /// Sets the initial metadata, if it has not left yet.
    func setInitialMetadata(_ metadata: Metadata)
    /// Sends the initial metadata now, if it has not left yet.
    func sendInitialMetadata()
    /// Sets the trailing metadata.
    func setTrailers(_ metadata: Metadata)
    /// Chooses the compression of the messages, if nothing of the response has left yet, and tells whether it could.
    func compressResponses(with compression: Compression) -> Bool
    /// Sends a message of a streamed response, waiting while too many bytes are on their way.
    ///
    /// - Throws: CANCELLED when the call is over.
    func write(_ message: MessageBytes) async throws(RPCError)
    /// What is measured of the call; nil when nothing is.
    var record: CallRecord? { get }
}

extension ServerResponder {
    /// Nothing is compressed.
    public func compressResponses(with compression: Compression) -> Bool { compression == .identity }
    /// Nothing is measured.
    public var record: CallRecord? { nil }
}

/// The sending side of a streamed response.
public struct ResponseWriter<Codec: MessageCodec>: Sendable {
    @usableFromInline let responder: any ServerResponder

    @usableFromInline
    init(_ responder: any ServerResponder) { self.responder = responder }

    /// Sends a message, waiting while too many bytes are on their way.
    ///
    /// - Parameter compress: false sends this message as it is, even in a compressed response.
    /// - Throws: CANCELLED when the client is gone or the deadline has passed.
    @inlinable
    public func write(_ message: Codec.Message, compress: Bool = true) async throws(RPCError) {
        var bytes = try Codec.encode(message)
        if !compress { bytes.keepUncompressed() }
        try await responder.write(bytes)
    }
}

/// The requests of a client that sends many: an `AsyncSequence` for one consumer.
public struct RequestStream<Codec: MessageCodec>: AsyncSequence, Sendable {
    /// The decoded messages.
    public typealias Element = Codec.Message

    @usableFromInline let source: any MessageSource

    @usableFromInline
    init(_ source: any MessageSource) { self.source = source }

    /// The next message, nil after the last.
    ///
    /// - Throws: CANCELLED when the client is gone; INTERNAL for bytes that are no such message.
    @inlinable
    public func next() async throws(RPCError) -> Element? {
        let bytes: MessageBytes?
        do {
            bytes = try await source.next()
        } catch {
            throw RPCError(wrapping: error)
        }
        guard let bytes else { return nil }
        return try Codec.decode(bytes)
    }

    /// An iterator over the same messages.
    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// Reads one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let stream: RequestStream

        @usableFromInline
        init(stream: RequestStream) { self.stream = stream }

        /// The next message, nil after the last.
        @inlinable
        public mutating func next() async throws(RPCError) -> Element? { try await stream.next() }

        /// The next message, nil after the last.
        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(RPCError) -> Element? { try await stream.next() }
    }
}
