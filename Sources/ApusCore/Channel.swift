// SPDX-License-Identifier: Apache-2.0

/// A way to call one service: a list of interceptors that ends in a transport.
///
/// Cheap to share, safe from any task or thread; its connections open when a call needs them and close when it is
/// closed or released.
public final class Channel: Sendable {
    /// The name of the service: what discovery looks up, and what `:authority` says.
    public let name: String
    /// Who is told of this channel's calls.
    public let observer: (any Observer)?

    /// Its policies as it was given them, outermost first.
    package let interceptors: [any ClientInterceptor]
    let transport: any ClientTransport
    let clock: any MonotonicClock
    let connectivity: Connectivity
    private let stack: ClientNext
    private let watch: CallRecord.Watch?
    // Only what chooses endpoints: for calls that only connect.
    let routing: ClientNext

    /// A channel over a transport.
    ///
    /// - Parameters:
    ///   - name: the service's name.
    ///   - interceptors: the policies, outermost first; the last should choose an endpoint.
    ///   - transport: what the list ends in. The channel owns it: closing one closes the other.
    public init(
        _ name: String, interceptors: [any ClientInterceptor], transport: any ClientTransport,
        observer: (any Observer)? = nil, clock: any MonotonicClock = SystemClock()
    ) {
        self.name = name
        self.interceptors = interceptors
        self.observer = observer
        self.transport = transport
        self.clock = clock
        watch = observer.map { CallRecord.Watch($0, clock: clock) }
        let retries = interceptors.contains { $0 is any RetryingInterceptor }
        stack = ClientStack.make(retries ? interceptors : [TransparentRetry(clock: clock)] + interceptors, transport)
        routing = ClientStack.make(interceptors.filter { $0 is any RoutingInterceptor }, ConnectingTransport(transport))
        connectivity = (transport as? any ConnectivityReporting)?.connectivity ?? Connectivity()
        connectivity.observer = observer
        connectivity.target = name
    }

    deinit { close() }

    /// Closes all connections. Calls in flight end with UNAVAILABLE, later ones fail at once. Safe to
    /// call more than once.
    public func close() {
        stack.link?.channel.close()
        routing.link?.channel.close()
        connectivity.shutDown()
        transport.close()
    }

    /// Sends a serialized call through the interceptors: what typed calls are made of.
    ///
    /// - Returns: the response at its head, or all of a unary one.
    /// - Throws: why the call failed.
    public func start(
        _ method: MethodDescriptor, _ request: MessageBody, options: CallOptions = CallOptions()
    ) async throws(RPCError) -> ClientResponse {
        guard let watch else { return try await run(call(method, request, options)) }
        var call = call(method, request, options)
        let record = CallRecord(watch)
        call.started = record.started
        call.observation = record
        return try await observed(call, by: watch.observer, record)
    }

    // Inlined: what a function returns is copied.
    @inline(__always)
    private func call(_ method: MethodDescriptor, _ request: MessageBody, _ options: CallOptions) -> ClientCall {
        ClientCall(
            method: method, target: name, request: request, metadata: options.metadata,
            deadline: deadline(of: options), waitForReady: options.waitForReady,
            maximumResponseBytes: options.maximumResponseBytes, compression: options.compression)
    }

    private func run(_ call: consuming ClientCall) async throws(RPCError) -> ClientResponse {
        do {
            return try await stack(call)
        } catch {
            throw RPCError(wrapping: error)
        }
    }

    private func observed(
        _ call: ClientCall, by observer: any Observer, _ record: CallRecord
    ) async throws(RPCError) -> ClientResponse {
        observer.callStarted(call)
        do {
            let response = try await run(call)
            guard case .stream(let source) = response.body else {
                record.end()
                observer.callEnded(call, error: nil)
                return response
            }
            source.onEnd { error in
                record.end()
                observer.callEnded(call, error: error)
            }
            return response
        } catch {
            record.end()
            observer.callEnded(call, error: error)
            throw error
        }
    }

    private func deadline(of options: CallOptions) -> CallDeadline {
        guard let timeout = options.timeout else { return .none }
        return CallDeadline(at: clock.now.advanced(by: timeout))
    }
}
