// SPDX-License-Identifier: Apache-2.0

/// Something that a policy did besides its calls: what an ``Observer`` counts and logs.
public enum PolicyEvent: Sendable {
    /// A circuit breaker changed its state.
    case breaker(name: String, endpoint: Endpoint?, method: MethodDescriptor?, state: BreakerState)
    /// Calls are kept away from an endpoint for a while.
    case ejected(Endpoint, for: Duration)
    /// An endpoint gets calls again.
    case readmitted(Endpoint)
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
