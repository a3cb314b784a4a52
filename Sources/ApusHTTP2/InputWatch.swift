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
    package struct Times: Sendable {
        /// To acknowledge SETTINGS.
        package var settings: Int64 = 10_000_000_000
        /// For a header block, from its first byte to its last.
        package var headerBlock: Int64 = 10_000_000_000
        /// From one byte of a frame to the next.
        package var frame: Int64 = 20_000_000_000

        package init() {}

        var shortest: Int64 { min(settings, headerBlock, frame) }
    }

    private let times: Times
    private var owesSettings = false
    private var settingsDue: Int64?
    private var headerBlock: (number: Int, since: Int64)?
    private var insideFrameSince: Int64?

    package init(_ times: Times = Times()) { self.times = times }

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

    /// Whether something is owed whose time begins with the next look, which is due at once.
    package var needsLook: Bool { owesSettings && settingsDue == nil }

    /// Whether something is owed.
    package var isWaiting: Bool { insideFrameSince != nil || headerBlock != nil || owesSettings }

    package mutating func verdict(at now: Int64) -> Verdict {
        if owesSettings, settingsDue == nil { settingsDue = due(now, times.settings) }
        var next = Int64.max
        for (due, text) in dues {
            guard let due else { continue }
            guard due > now else { return .broken(text) }
            next = min(next, due)
        }
        // What the peer begins before then may be due earlier.
        return next == .max ? .idle : .lookAgain(at: min(next, due(now, times.shortest)))
    }

    private var dues: [(due: Int64?, text: FrameBudget.Violation)] {
        [
            (settingsDue, .init(code: HTTP2ErrorCode.settingsTimeout, text: "SETTINGS not acknowledged in time")),
            (headerBlock.map { due($0.since, times.headerBlock) }, .calm("a header block not complete in time")),
            (insideFrameSince.map { due($0, times.frame) }, .calm("a frame that does not go on in time")),
        ]
    }

    // A time without end stays one.
    private func due(_ since: Int64, _ time: Int64) -> Int64 {
        let (sum, overflow) = since.addingReportingOverflow(time)
        return overflow ? .max : sum
    }
}
