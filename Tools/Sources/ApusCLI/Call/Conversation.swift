// SPDX-License-Identifier: Apache-2.0

import Apus
import Schemas

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
        let response = try await channel.clientStreaming(method.raw, options: options) { writer in
            try await send(requests, writer)
        }
        try show(response)
    }

    private func serverStreaming(_ requests: RequestTexts) async throws {
        let request = try message(await requests.only())
        journal?.begins(method.descriptor, options)
        try await show(channel.serverStreaming(method.raw, request, options: options))
    }

    private func bidirectional(_ requests: RequestTexts) async throws {
        journal?.begins(method.descriptor, options)
        let call = channel.bidirectional(method.raw, options: options)
        // Not awaited when the server ends first: the next request may never be typed.
        let sending = Task {
            do {
                try await send(requests, call.requests)
                call.requests.finish()
            } catch let error as RPCError {
                throw error
            } catch {
                call.cancel()
                throw error
            }
        }
        do {
            try await show(call.responses())
        } catch let error as RPCError where error.code == .cancelled {
            // What was wrong with the request says more than its cancellation.
            if case .failure(let mistake as Mistake) = await sending.result { throw mistake }
            throw error
        }
    }

    private func send(_ requests: RequestTexts, _ writer: RequestWriter<BytesCodec>) async throws {
        while let text = try await requests.next() { try await writer.write(message(text)) }
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
