// SPDX-License-Identifier: Apache-2.0

import ApusCore
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
