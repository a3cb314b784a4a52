// SPDX-License-Identifier: Apache-2.0

package import ApusCore

// The lines of what happens besides calls.

extension LogLine {
    /// A call is tried again.
    package init(retrying call: ClientCall, after error: RPCError, delay: Duration) {
        self.init(
            .info, "trying again",
            [("rpc", call.method.rpc), ("target", call.target), ("attempt", "\(call.attempt)")])
        add("delay", delay.secondsText)
        add("error", Self.harmless("\(error)"))
    }

    /// A call waits for a connection or a stream.
    package init(waiting call: ClientCall, for endpoint: Endpoint) {
        self.init(
            .debug, "a call waits",
            [("rpc", call.method.rpc), ("target", call.target), ("endpoint", "\(endpoint.address)")])
    }

    /// Discovery has a new list.
    package init(resolved target: String, _ endpoints: [Endpoint]) {
        let shown = endpoints.prefix(10).map { "\($0.address)" }.joined(separator: " ")
        self.init(
            endpoints.isEmpty ? .warning : .info, "endpoints found",
            [("target", target), ("count", "\(endpoints.count)"), ("endpoints", Self.harmless(shown))])
    }

    /// A connection came or went.
    package init(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        let severity: LogSeverity =
            switch new {
            case .transientFailure: .warning
            case .ready: .info
            case .idle, .shutdown: old == .ready ? .info : .debug
            case .connecting: .debug
            }
        self.init(
            severity, "connectivity changed",
            [("endpoint", "\(endpoint.address)"), ("from", "\(old)"), ("to", "\(new)")])
    }

    /// A policy did something.
    package init(_ event: PolicyEvent) {
        switch event {
        case .breaker(let name, let endpoint, let method, let old, let new):
            self.init(
                new == .open ? .warning : new == nil ? .debug : .info,
                new == nil ? "circuit breaker is no more" : "circuit breaker changed", [("breaker", name)])
            add("from", old.map { "\($0)" })
            add("state", new.map { "\($0)" })
            add("endpoint", endpoint.map { "\($0.address)" })
            add("rpc", method?.rpc)
        case .ejected(let endpoint, let duration):
            self.init(
                .warning, "endpoint ejected", [("endpoint", "\(endpoint.address)"), ("seconds", duration.secondsText)])
        case .readmitted(let endpoint):
            self.init(.info, "endpoint gets calls again", [("endpoint", "\(endpoint.address)")])
        case .health(let endpoint, let isServing):
            self.init(
                isServing ? .info : .warning, isServing ? "endpoint serves" : "endpoint does not serve",
                [("endpoint", "\(endpoint.address)")])
        case .configurationApplied(let source): self.init(.info, "configuration applied", [("source", source)])
        case .configurationRefused(let source, let reason):
            self.init(.error, "configuration refused", [("source", source), ("reason", Self.harmless(reason))])
        }
    }

    /// Something happened to a server.
    package init(_ event: ServerEvent) {
        let severity: LogSeverity =
            switch event {
            case .outOfDescriptors: .error
            case .descriptorsAvailable: .info
            case .connectionRefused, .callRefused: .notice
            case .buffersExceeded: .warning
            }
        self.init(severity, Self.harmless(event.description))
    }
}
