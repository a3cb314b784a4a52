// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The reader's hold on a streamed response: when it is released, the call is cancelled.
final class ClientResponseSource: ResponseSource {
    private let stream: ClientStream
    private let inbound: InboundMessages
    // The trailers may be here long before the reader is through with the messages.
    private let isRead = Atomic<Bool>(false)

    init(_ stream: ClientStream, _ inbound: InboundMessages) {
        self.stream = stream
        self.inbound = inbound
    }

    deinit { stream.abandon() }

    var trailers: Metadata { isRead.load(ordering: .acquiring) ? stream.trailers : Metadata() }

    var finalTrailers: Metadata { stream.trailers }

    func next() async throws -> MessageBytes? {
        do {
            if let message = try await inbound.next() { return message }
        } catch let error as RPCError {
            isRead.store(true, ordering: .releasing)
            throw error
        }
        isRead.store(true, ordering: .releasing)
        return nil
    }

    func cancel() { stream.abandon() }
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { stream.onEnd(action) }
}
