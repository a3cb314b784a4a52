// SPDX-License-Identifier: Apache-2.0

/// The answer to a call with one response message: the message, and the metadata around it.
public struct Response<Message: Sendable>: Sendable {
    /// The message.
    public let message: Message
    /// The initial metadata.
    public let metadata: Metadata
    /// The trailing metadata.
    public let trailers: Metadata

    /// The answer to a call with one response message, decoded.
    @inlinable
    init<A: MessageCodec>(_ response: ClientResponse, _: A.Type) throws(RPCError) where A.Message == Message {
        guard case .one(let bytes, let trailers) = response.body else {
            throw RPCError(.internal, "an interceptor or transport answered a unary call with a stream")
        }
        message = try A.decode(bytes)
        metadata = response.metadata
        self.trailers = trailers
    }
}

extension Channel {
    /// Calls a unary method.
    ///
    /// - Throws: why the call failed.
    @inlinable
    public func unary<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, _ request: Q.Message, options: CallOptions = CallOptions()
    ) async throws(RPCError) -> Response<A.Message> {
        try Response(await start(method.descriptor, .one(Q.encode(request)), options: options), A.self)
    }

    /// Calls a method that answers with many messages.
    ///
    /// - Returns: the messages, when the response's head is there. Dropping them cancels the call.
    /// - Throws: why the call failed before its first message.
    @inlinable
    public func serverStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, _ request: Q.Message, options: CallOptions = CallOptions()
    ) async throws(RPCError) -> ResponseStream<A> {
        try ResponseStream(await start(method.descriptor, .one(Q.encode(request)), options: options))
    }

    /// Calls a method that takes many messages and answers with one.
    ///
    /// - Parameter produce: writes the requests; when it returns the stream is finished, when it throws the call is
    ///   cancelled and the error thrown on. A write throws once the server has ended the call.
    /// - Throws: why the call failed, or the error of `produce`.
    public func clientStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, options: CallOptions = CallOptions(),
        _ produce: (RequestWriter<Q>) async throws -> Void
    ) async throws -> Response<A.Message> {
        let call: ClientStreamingCall<Q, A> = clientStreaming(method, options: options)
        do {
            try await produce(call.requests)
        } catch {
            // A write that failed because the call ended: the call's own error says more.
            guard error is RPCError, call.hasEnded else {
                call.cancel()
                throw error
            }
        }
        call.requests.finish()
        return try await call.response()
    }

    /// Starts a call that takes many messages and answers with one. Dropping it cancels it.
    public func clientStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, options: CallOptions = CallOptions()
    ) -> ClientStreamingCall<Q, A> {
        ClientStreamingCall(StreamedCall(self, method.descriptor, options: options))
    }

    /// Starts a call with many messages either way. Dropping it cancels it.
    public func bidirectional<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, options: CallOptions = CallOptions()
    ) -> BidirectionalCall<Q, A> {
        BidirectionalCall(StreamedCall(self, method.descriptor, options: options))
    }
}
