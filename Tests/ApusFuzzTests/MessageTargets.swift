// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

/// DATA frames' bytes: however they were split, the same messages come out.
@Sendable func fuzzDeframer(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let choices = input.byte()
    let whole = deframe(input.pieces(of: max(input.rest.count, 1)), compressed: choices & 1 == 1)
    let split = deframe(input.pieces(of: Int(choices >> 1) + 1), compressed: choices & 1 == 1)
    try require(whole == split, "split bytes gave \(split.messages.count), whole ones \(whole.messages.count)")
    let size = whole.messages.reduce(0) { $0 + 5 + $1.count }
    try require(size <= bytes.count, "\(size) bytes of messages came out of \(bytes.count)")
}

private struct Deframed: Equatable {
    var messages: [MessageBytes] = []
    var failure: String?
    var isInside = false
}

private func deframe(_ pieces: [UnsafeRawBufferPointer], compressed: Bool) -> Deframed {
    var result = Deframed()
    var deframer = MessageDeframer(limit: 1 << 16)
    deframer.takesCompressed = compressed
    do throws(RPCError) {
        for piece in pieces {
            var rest = piece
            while let message = try deframer.next(&rest) { result.messages.append(message) }
        }
    } catch {
        result.failure = error.message
    }
    result.isInside = deframer.isInsideMessage
    return result
}

/// A compressed message: what inflates stays within the limit, and what we deflate inflates again.
@Sendable func fuzzCompression(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let compressor: any Compressor = input.byte() & 1 == 0 ? GzipCompressor() : DeflateCompressor()
    let limit = 1 << 16
    if let compressed = try? MessageBytes(compressed: Array(input.rest)),
        let message = try? compressed.decompressed(by: compressor, limit: limit)
    {
        try require(message.count <= limit, "\(message.count) bytes are above the limit of \(limit)")
    }
    let message = MessageBytes(input.rest)
    guard let small = try? message.compressed(by: compressor) else { throw FuzzFailure("could not be compressed") }
    guard small.isCompressed else { return }
    let back = try? small.decompressed(by: compressor, limit: bytes.count)
    try require(back == message, "\(message.count) bytes did not come back")
}
