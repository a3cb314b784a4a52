// SPDX-License-Identifier: Apache-2.0

/// Counts a header block as RFC 9113 does (name + value + 32 bytes a field) against two limits: beyond the first the
/// call is refused, beyond the second the peer is not worth talking to.
package struct FieldBudget {
    package enum Verdict {
        case fits
        /// This stream ends with RESOURCE_EXHAUSTED; what follows of the block is ignored.
        case exceeded
        /// The connection ends with ENHANCE_YOUR_CALM.
        case abusive
    }

    private let limit: Int
    private var bytes = 0
    private var fields = 0

    private static let maximumFields = 128
    private static let abusiveBytes = 64 * 1024
    private static let abusiveFields = 1000

    /// - Parameter limit: bytes, as advertised in SETTINGS_MAX_HEADER_LIST_SIZE.
    package init(limit: Int) { self.limit = limit }

    package mutating func spend(name: Int, value: Int) -> Verdict {
        // Bounded by what one header block can hold, far below overflow.
        bytes &+= name &+ value &+ 32
        fields &+= 1
        return bytes <= limit && fields <= Self.maximumFields ? .fits : excess
    }

    private var excess: Verdict {
        bytes > max(Self.abusiveBytes, limit * 4) || fields > Self.abusiveFields ? .abusive : .exceeded
    }
}
