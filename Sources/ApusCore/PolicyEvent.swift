// SPDX-License-Identifier: Apache-2.0

/// Something that a policy did besides its calls: what an ``Observer`` counts and logs.
public enum PolicyEvent: Sendable {
    /// A circuit breaker changed its state. What it left is nil when nothing was told of it before; what it entered is
    /// nil when it is no more: its endpoint left, its channel closed, or another policy took its place.
    case breaker(
        name: String, endpoint: Endpoint?, method: MethodDescriptor?, from: BreakerState?, to: BreakerState?)
    /// Calls are kept away from an endpoint for a while.
    case ejected(Endpoint, for: Duration)
    /// An endpoint gets calls again.
    case readmitted(Endpoint)
    /// A health check found that an endpoint serves again, or does not serve.
    case health(Endpoint, isServing: Bool)
    /// A configuration document is in force for the calls that start from now on.
    case configurationApplied(source: String)
    /// A configuration document was refused; the last good one stays in force.
    case configurationRefused(source: String, reason: String)
}

/// What a circuit breaker does with calls.
public enum BreakerState: Sendable, Hashable {
    /// They pass.
    case closed
    /// They fail at once.
    case open
    /// Some pass, to see whether the others may.
    case halfOpen
}
