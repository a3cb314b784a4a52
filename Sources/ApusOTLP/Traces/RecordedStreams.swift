// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Messages on their way, each an event of a span.
final class RecordedMessages: MessageSource {
    private let source: any MessageSource
    private let note: @Sendable (MessageBytes) -> Void

    init(_ source: any MessageSource, _ note: @escaping @Sendable (MessageBytes) -> Void) {
        self.source = source
        self.note = note
    }

    func next() async throws -> MessageBytes? {
        let message = try await source.next()
        if let message { note(message) }
        return message
    }

    var isUntouched: Bool { source.isUntouched }
    func cancel() { source.cancel() }
}

/// A streamed response, each of whose messages is an event. Its span ends when the try has ended and its reader is
/// through, or gone: messages may wait for a slow reader longer than the try takes.
final class RecordedResponses: ResponseSource {
    private struct Ends {
        var isRead = false
        var end: RPCError??
    }

    private final class Shared: Sendable {
        let ends = Mutex(Ends())
    }

    private let source: any ResponseSource
    private let span: SpanRecord
    private let shared = Shared()

    init(_ source: any ResponseSource, _ span: SpanRecord) {
        self.source = source
        self.span = span
        source.onEnd { [shared] error in
            let isRead = shared.ends.withLock { ends in
                ends.end = .some(error)
                return ends.isRead
            }
            if isRead { span.end(error) }
        }
    }

    deinit { readerLeft() }

    func next() async throws -> MessageBytes? {
        do {
            if let message = try await source.next() {
                span.messageReceived(message)
                return message
            }
        } catch {
            // The call has ended, or its reader was cancelled and may come back.
            if error is RPCError { readerLeft() }
            throw error
        }
        readerLeft()
        return nil
    }

    private func readerLeft() {
        let end = shared.ends.withLock { ends in
            ends.isRead = true
            return ends.end
        }
        if let end { span.end(end) }
    }

    var trailers: Metadata { source.trailers }
    var finalTrailers: Metadata { source.finalTrailers }
    var isUntouched: Bool { source.isUntouched }
    func cancel() {
        readerLeft()
        source.cancel()
    }
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { source.onEnd(action) }
}

/// Passes a response on, each of whose messages is an event.
final class RecordedResponder: ServerResponder {
    private let responder: any ServerResponder
    private let span: SpanRecord

    init(_ responder: any ServerResponder, _ span: SpanRecord) {
        self.responder = responder
        self.span = span
    }

    func setInitialMetadata(_ metadata: Metadata) { responder.setInitialMetadata(metadata) }
    func sendInitialMetadata() { responder.sendInitialMetadata() }
    func setTrailers(_ metadata: Metadata) { responder.setTrailers(metadata) }
    func compressResponses(with compression: Compression) -> Bool { responder.compressResponses(with: compression) }
    func write(_ message: MessageBytes) async throws(RPCError) {
        try await responder.write(message)
        span.messageSent(message)
    }
    var record: CallRecord? { responder.record }
}
