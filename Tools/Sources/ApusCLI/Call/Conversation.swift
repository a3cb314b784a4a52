// SPDX-License-Identifier: Apache-2.0

import Apus
import Schemas
import Synchronization

/// One call of whatever kind: JSON goes in, JSON comes out.
struct Conversation: Sendable {
    let method: Schema.CallableMethod
    let messages: MessageTexts
    let channel: Channel
    let options: CallOptions
    let journal: CallJournal?
    let output: any Output

    /// Makes the call.
    ///
    /// - Throws: the call's error, or ``Mistake`` for requests that are none.
    func run(_ requests: RequestTexts) async throws {
        do {
            switch method.descriptor.kind {
            case .unary: try await unary(requests)
            case .serverStreaming: try await serverStreaming(requests)
            case .clientStreaming: try await clientStreaming(requests)
            case .bidirectional: try await bidirectional(requests)
            }
        } catch let error as RPCError {
            journal?.ended(error)
            throw error
        }
    }

    private func unary(_ requests: RequestTexts) async throws {
        let request = try message(await requests.only())
        journal?.begins(method.descriptor, options)
        let response = try await channel.unary(method.raw, request, options: options)
        try show(response)
    }

    private func clientStreaming(_ requests: RequestTexts) async throws {
        journal?.begins(method.descriptor, options)
        let call: ClientStreamingCall<BytesCodec, BytesCodec> = channel.clientStreaming(method.raw, options: options)
        let problem = send(requests, call.requests) { call.cancel() }
        try await telling(problem) { try show(await call.response()) }
    }

    private func serverStreaming(_ requests: RequestTexts) async throws {
        let request = try message(await requests.only())
        journal?.begins(method.descriptor, options)
        try await show(channel.serverStreaming(method.raw, request, options: options))
    }

    private func bidirectional(_ requests: RequestTexts) async throws {
        journal?.begins(method.descriptor, options)
        let call = channel.bidirectional(method.raw, options: options)
        let problem = send(requests, call.requests) { call.cancel() }
        try await telling(problem) { try await show(call.responses()) }
    }

    /// Why the requests came to no good end.
    private final class Problem: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }

    // In a task that nobody waits for: when the server ends first, the next request may never be typed.
    private func send(
        _ requests: RequestTexts, _ writer: RequestWriter<BytesCodec>, cancel: @escaping @Sendable () -> Void
    ) -> Problem {
        let problem = Problem()
        Task {
            do {
                while let text = try await requests.next() { try await writer.write(message(text)) }
                writer.finish()
            } catch is RPCError {
                // The call has ended: its own error says more.
            } catch {
                problem.error.withLock { $0 = error }
                cancel()
            }
        }
        return problem
    }

    // What was wrong with a request says more than the cancellation that it brought.
    private func telling(_ problem: Problem, _ receive: () async throws -> Void) async throws {
        do {
            try await receive()
        } catch let error as RPCError where error.code == .cancelled {
            throw problem.error.withLock { $0 } ?? error
        }
    }

    private func message(_ json: [UInt8]) throws(Mistake) -> MessageBytes {
        let message = try messages.message(method.request, json: json)
        journal?.sent(message.count)
        return message
    }

    private func show(_ response: Response<MessageBytes>) throws {
        journal?.head(response.metadata)
        try show(response.message)
        journal?.ended(trailers: response.trailers)
    }

    private func show(_ responses: ResponseStream<BytesCodec>) async throws {
        journal?.head(responses.metadata)
        while let bytes = try await responses.next() { try show(bytes) }
        journal?.ended(trailers: responses.trailers)
    }

    private func show(_ bytes: MessageBytes) throws {
        journal?.received(bytes.count)
        output.print(try messages.text(method.response, bytes))
    }
}
