// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import ApusWire

/// A proxy's answer to CONNECT: however it was split it means the same, and no byte behind its head is lost.
@Sendable func fuzzProxyResponse(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let size = Int(input.byte()) + 1
    let whole = read(input.pieces(of: max(input.rest.count, 1)))
    let split = read(input.pieces(of: size))
    switch (whole, split) {
    case (.established(let rest), .established(let other)):
        // What came in later pieces went to the tunnel itself.
        try require(rest.starts(with: other), "the tunnel begins with \(other) or with \(rest)")
        try require(Array(input.rest).suffix(rest.count).elementsEqual(rest), "the tunnel lost bytes")
    case (.refused(let text), .refused):
        try require(!text.utf8.contains { $0 < 0x20 }, "more than a line: \(text.debugDescription)")
    // One piece may show a fault that lies behind what the pieces showed before.
    case (.refused, .more), (.more, .refused): throw FuzzFailure("\(whole) in one piece, \(split) in many")
    default: try require(whole == split, "\(whole) in one piece, \(split) in many")
    }
}

private func read(_ pieces: [UnsafeRawBufferPointer]) -> ProxyResponse.Answer {
    var response = ProxyResponse()
    var answer = ProxyResponse.Answer.more
    for piece in pieces where answer == .more { answer = response.receive(piece) }
    return answer
}

/// The body of an answer that is not gRPC: what people see of it is one line.
@Sendable func fuzzForeignBody(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let size = Int(input.byte()) + 1
    var body = ForeignBody(Status(.unknown, "x"))
    for piece in input.pieces(of: size) where body.receive(piece) { break }
    let message = body.described.message
    try require(!message.unicodeScalars.contains { $0.value < 0x20 }, "more than a line: \(message.debugDescription)")
    try require(message.utf8.count <= 16 * ForeignBody.limit, "\(message.utf8.count) bytes of text")
}

/// The header with which a proxy tells whose connection it passes on: however it was split it means the same, what
/// stands behind it is the client's, and it has an end.
@Sendable func fuzzProxyHeader(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let size = Int(input.byte()) + 1
    let whole = readHeader(input.pieces(of: max(input.rest.count, 1)))
    let split = readHeader(input.pieces(of: size))
    try require(whole == split, "\(whole) in one piece, \(split) in many")
    let limit = max(ProxyHeader.longestLine, ProxyHeader.longestBinary)
    try require(whole.taken <= limit, "\(whole.taken) bytes of header")
    switch whole.verdict {
    case .needsMore: try require(whole.taken == input.rest.count, "it needs more and leaves bytes")
    case .malformed(let text):
        try require(!text.utf8.contains { $0 < 0x20 }, "more than a line: \(text.debugDescription)")
    case .complete(.host(let host, let port)?):
        let isNumeric = host.utf8.allSatisfy { "0123456789abcdef.:".utf8.contains($0) }
        try require(isNumeric && (0...65_535).contains(port), "a source that is no address: \(host), \(port)")
    case .complete: break
    }
}

private struct ReadHeader: Equatable {
    var verdict = ProxyHeader.Verdict.needsMore
    /// The header's bytes.
    var taken = 0
}

private func readHeader(_ pieces: [UnsafeRawBufferPointer]) -> ReadHeader {
    var header = ProxyHeader()
    var result = ReadHeader()
    for piece in pieces where result.verdict == .needsMore {
        var rest = piece
        result.verdict = header.receive(&rest)
        result.taken += piece.count - rest.count
    }
    return result
}
