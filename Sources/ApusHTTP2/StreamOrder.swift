// SPDX-License-Identifier: Apache-2.0

/// Which of a client's stream identifiers were used. Source: RFC 9113, section 5.1.1; nghttp2 forgets closed streams
/// and ignores late HEADERS on them, or on identifiers that were passed over.
struct StreamOrder {
    private var highest: Int32 = -1
    // Identifiers that were passed over: clients hardly ever do that.
    private var gaps: [ClosedRange<Int32>] = []
    // Streams that we reset: frames that were on their way are ignored (RFC 9113, section 5.1).
    private var resets: [Int32] = []
    private var resetIndex = 0
    // Streams that closed last and on which the peer may send nothing more, the newest of each lane.
    private var closed = SIMD16<Int32>(repeating: -1)
    private var closedIndex = 0
    private var highestClosed: Int32 = -1

    private static let remembered = 64

    /// HEADERS came with an identifier.
    ///
    /// - Returns: whether it opens a new stream, or is none of a client's.
    mutating func opens(_ id: Int32) -> Bool {
        guard id > highest, id & 1 == 1 else { return id & 1 == 0 }
        if Int(id) - Int(highest) > 2 {
            if gaps.count == Self.remembered { gaps.removeFirst() }
            gaps.append(highest + 1...id - 1)
        }
        highest = id
        return true
    }

    mutating func wasReset(_ id: Int32) {
        guard resets.count == Self.remembered else { return resets.append(id) }
        resets[resetIndex] = id
        resetIndex = (resetIndex + 1) % Self.remembered
    }

    /// The peer ended its side of a stream that is closed now.
    mutating func wasClosed(_ id: Int32) {
        closed[closedIndex] = id
        closedIndex = (closedIndex + 1) % SIMD16<Int32>.scalarCount
        highestClosed = max(highestClosed, id)
    }

    /// RST_STREAM came from the peer. The library has yet to see it: DATA may follow in the same bytes.
    mutating func peerReset(_ id: Int32) {
        if id <= highest { wasClosed(id) }
    }

    /// What DATA on a stream mean: the library ignores them on streams that are closed.
    @inline(__always)
    func dataViolation(_ id: Int32) -> FrameBudget.Violation? {
        guard id <= highestClosed, any(closed .== id) else { return nil }
        return .init(code: HTTP2ErrorCode.streamClosed, text: "DATA on a closed stream")
    }

    /// What HEADERS on an identifier mean that is not above the highest and has no open stream.
    func violation(_ id: Int32) -> FrameBudget.Violation? {
        let isEnded = any(closed .== id)
        if resets.contains(id), !isEnded { return nil }
        if gaps.contains(where: { $0.contains(id) }) {
            return .init(code: HTTP2ErrorCode.protocolError, text: "HEADERS on a stream below the highest")
        }
        return .init(code: HTTP2ErrorCode.streamClosed, text: "HEADERS on a closed stream")
    }
}
