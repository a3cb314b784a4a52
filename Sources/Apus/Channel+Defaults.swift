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
            "\(address)", interceptors: [Deadline.inherited, PinnedEndpoint(Endpoint(address))], options: options,
            observer: observer)
    }

    /// A channel to a service that a registry knows, with the default policies: the deadline over all tries, retry
    /// of calls that found nobody (UNAVAILABLE), discovery, and a random choice for each try.
    ///
    /// - Parameters:
    ///   - timeout: the time for all tries of a call; nil for none. A call's own is never made longer by it.
    ///   - retry: when a call is tried again.
    public convenience init(
        _ name: String, registry: any Registry, timeout: Duration? = .seconds(10), retry: Retry = Retry(.exponential()),
        options: TransportOptions = TransportOptions(), observer: (any Observer)? = nil
    ) {
        let deadline = timeout.map { Deadline($0) } ?? .inherited
        self.init(
            name, interceptors: [deadline, retry, Discovery(registry), RandomBalancer()], options: options,
            observer: observer)
    }
}
