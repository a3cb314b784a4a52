// SPDX-License-Identifier: Apache-2.0

public import Apus
import ApusOTLP
import ApusTracing
public import Tracing

/// Two instances of a service and a channel to the first, which calls the second: all watched, in one process.
public struct WatchedPair: Sendable {
    /// The way to the first instance.
    public let channel: Channel
    private let inner: Channel
    private let servers: [RunningServer]

    /// Starts both instances, traced by a tracer of swift-distributed-tracing.
    public init(observer: any Observer, tracer: any Tracer) throws {
        try self.init(
            observer: observer, calls: ClientTracing(tracer), tries: AttemptTracing(tracer),
            server: ServerTracing(tracer))
    }

    /// Starts both instances, whose spans and records go to a collector.
    public init(observer: any Observer, exports: Exports) throws {
        try self.init(
            observer: Observers([observer, exports.log]), calls: OTLPClientTracing(exports.traces),
            tries: OTLPAttemptTracing(exports.traces), server: OTLPServerTracing(exports.traces))
    }

    private init(
        observer: any Observer, calls: any ClientInterceptor, tries: any ClientInterceptor,
        server: any ServerInterceptor
    ) throws {
        let network = InMemoryNetwork()
        func channel(to name: String) -> Channel {
            Channel(
                name,
                interceptors: [
                    calls, Deadline(.seconds(60)), Retry(), PinnedEndpoint(Endpoint(.memory(name))), tries,
                ], transport: network.transport(), observer: observer)
        }
        func start(_ greeter: Greeter, as name: String) throws -> RunningServer {
            try network.start(try Server([greeter], interceptors: [server], observer: observer), as: name)
        }
        inner = channel(to: "second")
        servers = [try start(Greeter(other: inner), as: "first"), try start(Greeter(), as: "second")]
        self.channel = channel(to: "first")
    }

    /// Closes the channels and stops the instances.
    public func stop() async {
        channel.close()
        inner.close()
        for server in servers { await server.stop(grace: .seconds(10)) }
    }
}
