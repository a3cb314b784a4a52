// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf

/// What a failed export says of the next one. Pure.
///
/// A receiver that is overloaded tells when to come back, in a `google.rpc.RetryInfo` among the status' details.
/// Source: OTLP specification, *Failures* and *OTLP/gRPC Throttling*.
struct ExportRefusal: Sendable, Hashable {
    /// What is waited at most, whatever the receiver says.
    static let longestWait = Duration.seconds(3600)

    /// Whether the same export may be taken later.
    let mayPass: Bool
    /// How long the receiver wants to be left alone; nil when it has not said.
    let wait: Duration?

    init(_ error: RPCError) {
        wait = Self.wait(error.details)
        switch error.code {
        case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss: mayPass = true
        // Without a time, what is exhausted may be a quota: it does not come back by asking.
        case .resourceExhausted: mayPass = wait != nil
        case .ok, .unknown, .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition,
            .unimplemented, .internal, .unauthenticated:
            mayPass = false
        }
    }

    // Bytes of outside: what cannot be read says nothing.
    private static func wait(_ details: [UInt8]) -> Duration? {
        guard !details.isEmpty, let status = try? RefusalStatus(serialized: details) else { return nil }
        for detail in status.details where detail.typeUrl.hasSuffix("/google.rpc.RetryInfo") {
            guard let info = try? RefusalRetryInfo(serialized: detail.value) else { continue }
            guard let delay = info.retryDelay else { return .zero }
            let seconds = min(max(0, delay.seconds), longestWait.components.seconds)
            return min(longestWait, .seconds(seconds) + .nanoseconds(max(0, delay.nanos)))
        }
        return nil
    }
}
