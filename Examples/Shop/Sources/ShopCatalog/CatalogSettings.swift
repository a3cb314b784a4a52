// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ShopProtos

/// What a catalog server is told by its environment: the one way that systemd, Docker and Kubernetes have in common.
public struct CatalogSettings: Sendable {
    /// A variable whose value cannot be used.
    public struct Fault: Error, CustomStringConvertible {
        /// One line: which variable, and what it may be.
        public let description: String
    }

    /// `SHOP_LISTEN`: an address such as `[::]:50051`, or `inherited` for the sockets that systemd made.
    public var listen = ListenTarget.address(.host("::", port: 50051))
    /// `SHOP_INSTANCE`: the name that answers tell.
    public var instance = "catalog"
    /// `SHOP_GRACE`: the time that calls in flight get at the end, in whole seconds from 1 to 3,600.
    public var grace = Duration.seconds(20)
    /// `SHOP_ORIGIN`: a name in DNS, such as `dns:///shop-catalog:50051`, whose instances know the prices.
    public var origin: String?
    /// `SHOP_ORIGIN_CONFIG`: the file with the service config for calls to them, read anew when it changes.
    public var originConfig: String?

    /// Reads an environment. A variable that is empty is none.
    ///
    /// - Throws: ``Fault``.
    public init(_ environment: (_ name: String) -> String?) throws(Fault) {
        func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        if let text = value("SHOP_LISTEN") { listen = try Self.target(text) }
        if let text = value("SHOP_INSTANCE") { instance = text }
        if let text = value("SHOP_GRACE") {
            guard let seconds = Int(text), (1...3600).contains(seconds) else {
                throw Fault(description: "SHOP_GRACE is 1 to 3600 seconds, not '\(text)'")
            }
            grace = .seconds(seconds)
        }
        origin = value("SHOP_ORIGIN")
        originConfig = value("SHOP_ORIGIN_CONFIG")
        if originConfig != nil, origin == nil {
            throw Fault(description: "SHOP_ORIGIN_CONFIG needs SHOP_ORIGIN: whose calls would it be for?")
        }
    }

    /// The client that asks the origin; nil without one.
    ///
    /// - Parameter report: is told which service config is in force, and why one is not.
    public func originClient(report: @escaping @Sendable (String) -> Void) -> CatalogService.Client? {
        guard let origin else { return nil }
        var stack = DefaultStack()
        stack.timeout = .seconds(5)
        if let originConfig {
            stack.config = LiveServiceConfig(
                following: FileConfig(originConfig), observer: ConfigReport(report: report))
        }
        return CatalogService.Client(Channel(origin, interceptors: stack.interceptors(with: DNSRegistry())))
    }

    private static func target(_ text: String) throws(Fault) -> ListenTarget {
        if text == "inherited" { return .inherited() }
        guard let address = Endpoint.Address(text) else {
            throw Fault(description: "SHOP_LISTEN is an address such as [::]:50051, or inherited, not '\(text)'")
        }
        return .address(address)
    }
}

/// Says what becomes of the documents of a service config: an operator who has changed one wants to know.
struct ConfigReport: Observer {
    let report: @Sendable (String) -> Void

    func policyEvent(_ event: PolicyEvent) {
        switch event {
        case .configurationApplied(let source): report("the service config of \(source) is in force")
        case .configurationRefused(let source, let reason):
            report("the service config of \(source) is refused, the last good one stays: \(reason)")
        case .breaker, .ejected, .readmitted, .health: break
        }
    }
}
