// SPDX-License-Identifier: Apache-2.0

public import Apus
import ApusTracing
public import Tracing

/// Two instances of a service and a channel to the first, which calls the second: all watched, in one process.
public struct WatchedPair: Sendable {
    /// The way to the first instance.
    public let channel: Channel
    private let inner: Channel
    private let servers: [RunningServer]

    /// Starts both instances.
    public init(observer: any Observer, tracer: any Tracer) throws {
        let network = InMemoryNetwork()
        func channel(to name: String) -> Channel {
            Channel(
                name,
                interceptors: [
                    ClientTracing(tracer), Deadline(.seconds(60)), Retry(), PinnedEndpoint(Endpoint(.memory(name))),
                    AttemptTracing(tracer),
                ], transport: network.transport(), observer: observer)
        }
        func start(_ greeter: Greeter, as name: String) throws -> RunningServer {
            let server = try Server([greeter], interceptors: [ServerTracing(tracer)], observer: observer)
            return try network.start(server, as: name)
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
