// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Synchronization

// What a handler does with its response, on any thread.

extension ServerStream: ServerResponder {
    func setInitialMetadata(_ metadata: Metadata) { fields.withLock { $0.initial = metadata } }

    func setTrailers(_ metadata: Metadata) { fields.withLock { $0.trailers = metadata } }

    func sendInitialMetadata() {
        fields.withLock { $0.sendsHead = true }
        loop.run { if !self.headSent { self.respond() } }
    }

    func compressResponses(with compression: Compression) -> Bool {
        compressResponses(with: compression, minimum: 0)
    }

    @discardableResult
    func compressResponses(with compression: Compression, minimum: Int) -> Bool {
        var compressor: Int?
        if compression != .identity {
            // What the client accepts stands since before the handler was started.
            guard let index = compressors.index(of: compression), head.accepted.contains(index) else { return false }
            compressor = index
        }
        return fields.withLock { fields in
            guard fields.encoding.choose(compressor, minimum: minimum) else { return false }
            compresses.store(compressor != nil, ordering: .releasing)
            return true
        }
    }

    /// The message as it goes to the wire.
    func framed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        let framed = try compressed(message)
        record?.messageSent(framed.count)
        return framed
    }

    private func compressed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard compresses.load(ordering: .acquiring) else { return message }
        let encoding = fields.withLock { $0.encoding.fixed() }
        guard let compressor = encoding.compressor else { return message }
        return try message.compressed(by: compressors[compressor], minimum: encoding.minimum)
    }

    func write(_ message: MessageBytes) async throws(RPCError) {
        let (wake, full) = try outbound.write(framed(message))
        if wake { loop.run { self.respond() } }
        guard full else { return }
        do {
            try await outbound.drain()
        } catch {
            throw RPCError(wrapping: error)
        }
    }
}
