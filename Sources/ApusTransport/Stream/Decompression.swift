// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

/// How the compressed messages of one stream are read.
struct Decompression: Sendable {
    private let compressors: Compressors
    // nil: the head named no encoding, and the deframer lets no compressed message through.
    private let index: Int?
    private let limit: Int

    /// - Parameters:
    ///   - index: the compressor that the head named.
    ///   - limit: the largest message in bytes, decompressed.
    init(_ compressors: Compressors, _ index: Int?, limit: Int) {
        self.compressors = compressors
        self.index = index
        self.limit = limit
    }

    /// The message itself.
    func open(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard let index else { return message }
        return try message.decompressed(by: compressors[index], limit: limit)
    }
}

extension ClientResponse {
    /// Whether it has to be ``opened(_:)`` before anybody sees it; a stream opens its messages when they are read.
    var isCompressed: Bool {
        if case .one(let message, _) = body { message.isCompressed } else { false }
    }

    /// The response with its only message decompressed.
    func opened(_ decompression: Decompression) throws(RPCError) -> ClientResponse {
        guard case .one(let message, let trailers) = body else { return self }
        return ClientResponse(metadata: metadata, body: .one(try decompression.open(message), trailers: trailers))
    }
}
