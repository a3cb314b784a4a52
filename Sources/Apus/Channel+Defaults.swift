// SPDX-License-Identifier: Apache-2.0

extension Channel {
    /// A channel to one endpoint, without a registry.
    ///
    /// ```swift
    /// let greeter = Greeter.Client(Channel(to: .host("127.0.0.1", port: 50051)))
    /// ```
    public convenience init(
        to address: Endpoint.Address, options: TransportOptions = TransportOptions(), observer: (any Observer)? = nil
    ) {
        self.init(
            Self.name(for: address), interceptors: [Deadline.inherited, PinnedEndpoint(Endpoint(address))],
            options: options, observer: observer)
    }

    // The name is the calls' `:authority`, in which a path cannot stand. gRPC says the same of local sockets.
    private static func name(for address: Endpoint.Address) -> String {
        switch address {
        case .unix, .unixAbstract: "localhost"
        case .host, .memory: "\(address)"
        }
    }

    /// A channel to a service that a registry knows, with the policies of ``DefaultStack``: a deadline over all tries,
    /// retry of calls that found nobody (UNAVAILABLE) within a budget, discovery, a random choice for each try, and
    /// circuit breakers.
    ///
    /// - Parameters:
    ///   - timeout: the time for all tries of a call; nil for none. A call's own is never made longer by it.
    ///   - retry: when a call is tried again; nil for the default.
    public convenience init(
        _ name: String, registry: any Registry, timeout: Duration? = .seconds(10), retry: Retry? = nil,
        options: TransportOptions = TransportOptions(), observer: (any Observer)? = nil
    ) {
        var stack = DefaultStack()
        stack.timeout = timeout
        if let retry { stack.tries = retry }
        self.init(name, interceptors: stack.interceptors(with: registry), options: options, observer: observer)
    }
}
