// SPDX-License-Identifier: Apache-2.0

/// The messages of a response in their time: an `AsyncSequence` that may be stored and passed to other tasks.
///
/// For one consumer. Dropping it, its iterator included, cancels the call.
public struct ResponseStream<Codec: MessageCodec>: AsyncSequence, Sendable {
    /// The decoded messages.
    public typealias Element = Codec.Message

    /// The initial metadata.
    public let metadata: Metadata

    @usableFromInline let source: any ResponseSource
    // Keeps a call with a streamed request going while its responses are read.
    private let call: StreamedCall?

    @usableFromInline
    init(_ response: ClientResponse) throws(RPCError) { try self.init(response, keeping: nil) }

    init(_ response: ClientResponse, keeping call: StreamedCall?) throws(RPCError) {
        guard case .stream(let source) = response.body else {
            throw RPCError(.internal, "an interceptor or transport answered a streaming call with one message")
        }
        metadata = response.metadata
        self.source = source
        self.call = call
    }

    /// The trailing metadata: empty until ``next()`` has returned nil, or thrown the call's error.
    public var trailers: Metadata { source.trailers }

    /// Ends the call: the server sees a cancellation.
    public func cancel() { source.cancel() }

    /// The next message, nil after the last.
    ///
    /// - Throws: why the call failed.
    @inlinable
    public func next() async throws(RPCError) -> Element? {
        let bytes: MessageBytes?
        do {
            bytes = try await source.next()
        } catch {
            throw RPCError(wrapping: error)
        }
        guard let bytes else { return nil }
        do {
            return try Codec.decode(bytes)
        } catch {
            source.cancel()
            throw error
        }
    }

    /// An iterator over the same messages.
    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// Reads one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let stream: ResponseStream

        @usableFromInline
        init(stream: ResponseStream) { self.stream = stream }

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

/// The sending side of a streamed request: may be stored and used from any task. It keeps its call going.
public struct RequestWriter<Codec: MessageCodec>: Sendable {
    let call: StreamedCall

    /// Sends a message, waiting while too many bytes are on their way.
    ///
    /// - Parameter compress: false sends this message as it is, even in a call with ``CallOptions/compression``.
    /// - Throws: the call's error once it has ended; FAILED_PRECONDITION after ``finish()``; CANCELLED.
    public func write(_ message: Codec.Message, compress: Bool = true) async throws(RPCError) {
        var bytes = try Codec.encode(message)
        if !compress { bytes.keepUncompressed() }
        do {
            try await call.pipe.write(bytes)
        } catch {
            throw RPCError(wrapping: error)
        }
    }

    /// Says that no more messages follow. Safe to call more than once.
    public func finish() { call.pipe.finish() }
}
