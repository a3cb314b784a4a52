// SPDX-License-Identifier: Apache-2.0

/// Peers that begin something and do not go on with it: a frame, a header block, the handshake. Knows no clock; times
/// are nanoseconds.
package struct InputWatch {
    /// What is to be done about a peer.
    package enum Verdict: Equatable, Sendable {
        /// It owes nothing.
        case idle
        /// Look again then.
        case lookAgain(at: Int64)
        /// It has had its time: the connection has to end.
        case broken(FrameBudget.Violation)
    }

    /// What a peer that has begun gets.
    package static let settingsTime: Int64 = 10_000_000_000
    package static let headerBlockTime: Int64 = 10_000_000_000
    package static let frameTime: Int64 = 20_000_000_000

    private var owesSettings = false
    private var settingsDue: Int64?
    private var headerBlock: (number: Int, since: Int64)?
    private var insideFrameSince: Int64?

    package init() {}

    /// Our SETTINGS left: the peer has to acknowledge them, from the next look on.
    package mutating func sentSettings() { owesSettings = true }

    package mutating func receivedSettingsAcknowledgement() {
        owesSettings = false
        settingsDue = nil
    }

    /// Bytes arrived. Every byte is progress of a frame; a header block has to be complete in time.
    package mutating func received(insideFrame: Bool, headerBlock number: Int?, at now: Int64) {
        insideFrameSince = insideFrame ? now : nil
        guard let number else { return headerBlock = nil }
        if headerBlock?.number != number { headerBlock = (number, now) }
    }

    /// Whether something is owed.
    package var isWaiting: Bool { insideFrameSince != nil || headerBlock != nil || owesSettings }

    package mutating func verdict(at now: Int64) -> Verdict {
        if owesSettings, settingsDue == nil { settingsDue = now &+ Self.settingsTime }
        var next = Int64.max
        for (due, text) in dues {
            guard let due else { continue }
            guard due > now else { return .broken(text) }
            next = min(next, due)
        }
        return next == .max ? .idle : .lookAgain(at: next)
    }

    private var dues: [(due: Int64?, text: FrameBudget.Violation)] {
        [
            (settingsDue, .init(code: HTTP2ErrorCode.settingsTimeout, text: "SETTINGS not acknowledged within 10 s")),
            (headerBlock.map { $0.since &+ Self.headerBlockTime }, .calm("a header block not complete within 10 s")),
            (insideFrameSince.map { $0 &+ Self.frameTime }, .calm("a frame that does not go on for 20 s")),
        ]
    }
}
