// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Messages that an interceptor has seen.
final class Noted: Sendable {
    private let seen = Mutex<[MessageBytes]>([])

    var messages: [MessageBytes] { seen.withLock { $0 } }
    func note(_ message: MessageBytes) { seen.withLock { $0.append(message) } }
}

/// A source whose messages are noted as they are read.
final class WitnessedSource: MessageSource {
    private let source: any MessageSource
    private let noted: Noted

    init(_ source: any MessageSource, _ noted: Noted) {
        self.source = source
        self.noted = noted
    }

    func next() async throws -> MessageBytes? {
        let message = try await source.next()
        if let message { noted.note(message) }
        return message
    }

    func cancel() { source.cancel() }
}

/// A response whose messages are noted as they are read.
final class WitnessedResponses: ResponseSource {
    private let source: any ResponseSource
    private let noted: Noted

    init(_ source: any ResponseSource, _ noted: Noted) {
        self.source = source
        self.noted = noted
    }

    var trailers: Metadata { source.trailers }

    func next() async throws -> MessageBytes? {
        let message = try await source.next()
        if let message { noted.note(message) }
        return message
    }

    func cancel() { source.cancel() }
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { source.onEnd(action) }
}
