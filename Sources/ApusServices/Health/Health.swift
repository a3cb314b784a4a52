// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The standard health service, `grpc.health.v1.Health`: tells load balancers and operators which services of this
/// server take calls. The server as a whole, named by the empty string, serves from the start.
///
/// ```swift
/// let health = Health()
/// health.set("users.v1.UserService", .serving)
/// try await Server([Users(), health]).serve(on: .host("0.0.0.0", port: 50051))
/// ```
///
/// One value is for the life of one server: once that is asked to stop, every service is told as not serving.
/// Source: gRPC, *Health Checking Protocol*.
public final class Health: Service {
    /// Whether a service takes calls.
    public enum State: Sendable, Hashable {
        /// It takes calls.
        case serving
        /// It takes no calls now.
        case notServing
        /// Nothing is known about it.
        case unknown
    }

    private let handler: HealthHandler

    /// The health of a server whose services are not told yet.
    public init() { handler = HealthHandler() }

    /// The health of a server on which all of these serve.
    public convenience init(serving services: [any Service]) {
        self.init()
        for service in Set(services.flatMap(\.routes).map(\.method.service)) { set(service, .serving) }
    }

    /// Tells a service's state to whoever asks or watches. Without effect after ``stop()``.
    ///
    /// - Parameter service: its full name; the empty string for the server as a whole.
    public func set(_ service: String, _ state: State) { handler.board.set(service, state) }

    /// The states of all services that were told, by name; the server as a whole has the empty one.
    public var states: [String: State] { handler.board.states }

    /// Tells every service as not serving, for good, and ends the watches. A server's graceful stop does that by
    /// itself.
    public func stop() { handler.board.stop() }

    /// As ``stop()``.
    public func serverWillStop() { stop() }

    /// How many calls watch a service now.
    var watches: Int { handler.board.watches }

    /// `Check`, `List` and `Watch`.
    public var routes: [Route] { handler.routes }

    /// The .proto file of the health service.
    public var descriptor: ServiceDescriptor? { handler.descriptor }
}
