// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

// What a handler does with its response, on any thread.

extension ServerStream: ServerResponder {
    func setInitialMetadata(_ metadata: Metadata) { notes.setInitialMetadata(metadata) }

    func setTrailers(_ metadata: Metadata) { notes.setTrailers(metadata) }

    func sendInitialMetadata() {
        notes.wantHead()
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
        return notes.choose(compressor, minimum: minimum)
    }

    /// The message as it goes to the wire.
    func framed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        let framed = try compressed(message)
        record?.messageSent(framed.count)
        return framed
    }

    private func compressed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard let encoding = notes.compression, let compressor = encoding.compressor else { return message }
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
