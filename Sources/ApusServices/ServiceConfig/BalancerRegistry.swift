// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The balancers that a service config may name. A value: adding one changes a copy.
public struct BalancerRegistry: Sendable {
    /// Makes a balancer from the JSON object that stands behind its name; throws what is wrong with it.
    public typealias Factory = @Sendable (_ options: [UInt8]) throws -> any ClientInterceptor

    private var factories: [String: Factory] = [:]

    /// A registry without balancers.
    public init() {}

    /// Adds a balancer, or replaces the one of this name.
    ///
    /// - Parameter factory: gets the options as the bytes of a JSON object.
    public mutating func add(_ name: String, _ factory: @escaping Factory) { factories[name] = factory }

    func make(_ balancer: ServiceConfig.Balancer) throws -> (any ClientInterceptor)? {
        try factories[balancer.name]?(Array(balancer.options.text.utf8))
    }

    /// The first of the document's balancers that is known. Source: service_config.proto, gRFC A24.
    func choose(_ root: ConfigValue) throws(ConfigProblem) -> ServiceConfig.Balancer? {
        guard let list = try root.member("loadBalancingConfig") else { return nil }
        var chosen: ServiceConfig.Balancer?
        for element in try list.elements() {
            guard case .object(let members) = element.json, members.count == 1, let (name, options) = members.first
            else { throw element.problem("must have one member, a balancer's name") }
            guard case .object = options else { throw element.problem("has options that are no object") }
            if chosen == nil, factories[name] != nil { chosen = .init(name: name, options: options) }
        }
        guard let chosen else { throw list.problem("names no balancer that is known") }
        do {
            _ = try make(chosen)
        } catch {
            throw list.problem("has options that \(chosen.name) refuses: \(error)")
        }
        return chosen
    }
}
