// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Which calls an access log writes, at what level, and what of their metadata.
public struct AccessLogRules: Sendable {
    /// A call that took longer is always written, as a warning at least; nil knows no slow calls.
    public var slow: Duration?
    /// The share of the calls that went well and were not slow which is written: 1 for all, 0.01 for one of a hundred.
    public var share: Double
    /// How many lines are written each second at most: of calls that went well, of calls that their callers got wrong,
    /// and of those that failed for other reasons, so many each. The line after a gap says how many were left out.
    public var linesPerSecond: Int
    /// The keys of metadata whose values are shown. Of all others the log says that they were there.
    public var shownMetadata: Set<String>

    /// The rules.
    public init(
        slow: Duration? = .seconds(1), share: Double = 1, linesPerSecond: Int = 1000, shownMetadata: Set<String> = []
    ) {
        self.slow = slow
        self.share = share
        self.linesPerSecond = linesPerSecond
        self.shownMetadata = Set(shownMetadata.map { $0.lowercased() })
    }

    /// The severity of a call's line; nil for none.
    ///
    /// - Parameter random: a uniformly random number in `0..<1`.
    package func severity(_ code: Status.Code, _ duration: Duration?, random: Double) -> LogSeverity? {
        let severity = LogSeverity(of: code)
        if isSlow(duration) { return max(severity, .warning) }
        return code != .ok || random < share ? severity : nil
    }

    package func isSlow(_ duration: Duration?) -> Bool {
        guard let slow, let duration else { return false }
        return duration > slow
    }
}

/// How much a line matters.
package enum LogSeverity: Int, Sendable, Comparable {
    case debug, info, notice, warning, error

    package static func < (left: LogSeverity, right: LogSeverity) -> Bool { left.rawValue < right.rawValue }

    /// What a status says of the service: the caller's own mistakes are worth a notice, overload and absence a warning,
    /// what ought not to happen an error.
    package init(of code: Status.Code) {
        switch code {
        case .ok: self = .info
        case .cancelled, .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .aborted, .outOfRange,
            .permissionDenied, .unauthenticated:
            self = .notice
        case .deadlineExceeded, .resourceExhausted, .unavailable: self = .warning
        case .unknown, .unimplemented, .internal, .dataLoss: self = .error
        }
    }
}
