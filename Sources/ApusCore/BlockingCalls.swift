// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A channel's calls for code that is not `async`: each parks the calling thread until its answer is there.
///
/// The call itself runs on an event loop of the transport, so blocking every thread of Swift's pool cannot stop it.
public struct BlockingChannel: Sendable {
    /// The channel that it calls through.
    public let channel: Channel

    /// Calls a unary method.
    ///
    /// - Throws: why the call failed; FAILED_PRECONDITION on an event loop's own thread, which must never be parked.
    public func unary<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, _ request: Q.Message, options: CallOptions = CallOptions()
    ) throws(RPCError) -> Response<A.Message> {
        let channel = channel
        return try wait { () async throws(RPCError) in
            try await channel.unary(method, request, options: options)
        }
    }

    /// Calls a method that answers with many messages.
    ///
    /// - Returns: the messages as a sequence whose iteration parks the thread; each element is a success or the
    ///   error that ended the call.
    /// - Throws: as ``unary(_:_:options:)``.
    public func serverStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, _ request: Q.Message, options: CallOptions = CallOptions()
    ) throws(RPCError) -> BlockingResponses<A> {
        let channel = channel
        let stream = try wait { () async throws(RPCError) in
            try await channel.serverStreaming(method, request, options: options)
        }
        return BlockingResponses(stream: stream, calls: self)
    }

    /// Calls a method that takes many messages and answers with one: sends all of `requests`, then waits.
    ///
    /// - Throws: as ``unary(_:_:options:)``.
    public func clientStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>, _ requests: some Sequence<Q.Message> & Sendable, options: CallOptions = CallOptions()
    ) throws(RPCError) -> Response<A.Message> {
        let channel = channel
        return try wait { () async throws(RPCError) in
            do {
                return try await channel.clientStreaming(method, options: options) { writer in
                    for request in requests { try await writer.write(request) }
                }
            } catch {
                throw RPCError(wrapping: error)
            }
        }
    }

    func wait<R: Sendable>(
        _ body: @escaping @Sendable () async throws(RPCError) -> R
    ) throws(RPCError) -> R {
        let outcome = Outcome<R>()
        let current = ServerCall.binding
        try channel.transport.runBlocking {
            await ServerCall.$binding.withValue(current) {
                do throws(RPCError) {
                    let value = try await body()
                    outcome.result.withLock { $0 = .success(value) }
                } catch {
                    outcome.result.withLock { $0 = .failure(error) }
                }
            }
        }
        guard let result = outcome.result.withLock({ $0 }) else {
            throw RPCError(.internal, "the transport did not run a blocking call")
        }
        return try result.get()
    }

    private final class Outcome<R: Sendable>: Sendable {
        let result = Mutex<Result<R, RPCError>?>(nil)
    }
}

/// The messages of a streamed response for code that is not `async`.
public struct BlockingResponses<Codec: MessageCodec>: Sequence, IteratorProtocol {
    let stream: ResponseStream<Codec>
    let calls: BlockingChannel
    private var ended = false

    init(stream: ResponseStream<Codec>, calls: BlockingChannel) {
        self.stream = stream
        self.calls = calls
    }

    /// The initial metadata.
    public var metadata: Metadata { stream.metadata }
    /// The trailing metadata: empty until the last message was read.
    public var trailers: Metadata { stream.trailers }

    /// Parks the thread until the next message is there: nil after the last, a failure once if the call failed.
    public mutating func next() -> Result<Codec.Message, RPCError>? {
        guard !ended else { return nil }
        let stream = stream
        do throws(RPCError) {
            guard let message = try calls.wait({ () async throws(RPCError) in try await stream.next() }) else {
                ended = true
                return nil
            }
            return .success(message)
        } catch {
            ended = true
            return .failure(error)
        }
    }
}

extension Channel {
    /// The same calls for code that is not `async`.
    public var blocking: BlockingChannel { BlockingChannel(channel: self) }
}
