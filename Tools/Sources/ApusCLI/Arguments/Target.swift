// SPDX-License-Identifier: Apache-2.0

import Apus

/// What a channel goes to: an address, the addresses of a name, or a service of a registry.
struct Target {
    /// The channel's name, which is also the `:authority` of calls: no slash may be in it.
    let name: String
    /// The name that a server must prove when addresses come from DNS; nil leaves it to the address.
    let serverName: String?
    private let registry: any Registry

    /// A service of a registry.
    init(name: String, registry: any Registry) {
        self.name = name
        self.registry = registry
        serverName = nil
    }

    /// An address as people type it.
    init(_ text: String) throws(Mistake) {
        if let rest = Self.host(inDNS: text) {
            name = String(text.dropFirst(Self.dns.count))
            registry = DNSRegistry()
            serverName = rest
            return
        }
        // ':50051' is this machine's.
        guard let address = Endpoint.Address(text.hasPrefix(":") ? "localhost" + text : text) else {
            throw Mistake(
                "'\(text)' is no address: write host:port, such as localhost:50051, or unix:/path/of/the.sock")
        }
        if case .memory = address { throw Mistake("\(address) is inside another process: nobody else can reach it") }
        name = if case .host = address { "\(address)" } else { "localhost" }
        registry = FixedRegistry(endpoints: [Endpoint(address)])
        serverName = nil
    }

    private static let dns = "dns:///"

    private static func host(inDNS text: String) -> String? {
        guard text.hasPrefix(dns) else { return nil }
        let rest = text.dropFirst(dns.count)
        return String(rest.lastIndex(of: ":").map { rest[..<$0] } ?? rest)
    }

    /// The policies of ``DefaultStack``. No time but the call's own: a watch may go on for days.
    var stacked: [any ClientInterceptor] {
        var stack = DefaultStack()
        stack.timeout = nil
        return stack.interceptors(with: registry)
    }

    /// A choice among the addresses, and nothing else.
    var bare: [any ClientInterceptor] { [Deadline.inherited, Discovery(registry), RandomBalancer()] }
}
