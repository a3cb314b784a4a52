// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ApusAdmin

/// Some instances of a service and a channel to them, in one process, with an admin page that shows all of it.
public struct WatchedShop: Sendable {
    /// The page.
    public let page: AdminServer
    /// The health that the page's readiness follows.
    public let health: Health
    private let channel: Channel
    private let servers: [RunningServer]

    /// Starts the instances.
    ///
    /// - Parameter options: where the page listens.
    public init(instances: Int = 4, options: AdminOptions = AdminOptions()) async throws {
        let telemetry = AdminTelemetry(slow: .milliseconds(250))
        let registry = InMemoryRegistry()
        health = Health(serving: [Quotes()])
        var servers: [RunningServer] = []
        for number in 1...instances {
            let server = try Server([Quotes(), health], observer: telemetry)
            servers.append(try server.start(on: .host("127.0.0.1", port: 0)))
            for address in servers[number - 1].addresses {
                let endpoint = Endpoint(address, metadata: ["instance": "quotes-\(number)", "version": "1.4.2"])
                _ = try await registry.register(
                    ServiceInstance(service: "quotes", id: "\(number)", endpoint: endpoint))
            }
        }
        self.servers = servers
        channel = Channel("quotes", registry: registry, observer: telemetry)
        page = AdminServer(telemetry, health: health, channels: [channel], options: options)
        for server in servers { page.show(server) }
    }

    /// Calls as some customers do, until the task is cancelled.
    ///
    /// - Parameter customers: how many call at once.
    public func trade(customers: Int = 8) async {
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<customers {
                tasks.addTask { [channel] in
                    while !Task.isCancelled {
                        _ = try? await channel.unary(Quotes.Methods.price, MessageBytes("a swift".utf8))
                    }
                }
            }
        }
    }

    /// Makes one call.
    ///
    /// - Parameter name: what the price is asked of; an empty one is refused.
    public func ask(_ name: String) async throws -> MessageBytes {
        try await channel.unary(Quotes.Methods.price, MessageBytes(name.utf8)).message
    }

    /// Closes the channel and stops the instances; the page ends with them.
    public func stop() async {
        channel.close()
        for server in servers { await server.stop(grace: .seconds(10)) }
    }
}
