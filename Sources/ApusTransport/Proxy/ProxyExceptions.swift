// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The hosts that are reached without a proxy: what `no_proxy` says. See ``ProxyPolicy/environment``.
struct ProxyExceptions: Sendable {
    private enum Rule {
        case all
        /// A domain with the dot in front of it, and whether the name without the dot is meant, too.
        case domain(String, itself: Bool, port: Int?)
        case network([UInt8], bits: Int, port: Int?)
    }

    private let rules: [Rule]

    /// Reads a list with commas; what makes no sense in it matches nothing.
    init(_ list: String) {
        rules = list.split(separator: ",").compactMap { Self.rule(String($0).trimmed.lowercased()) }
    }

    /// Whether a host is reached directly.
    func contains(_ host: String, port: Int) -> Bool {
        let name = Self.normalized(host)
        let address = SocketAddress(host: name, port: 0)?.bytes
        return Self.isLoopback(name, address) || rules.contains { Self.matches($0, name, address, port) }
    }

    // Names are compared without regard to case; a dot at their end says only that they are complete.
    private static func normalized(_ host: String) -> String {
        let name = host.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    private static func isLoopback(_ name: String, _ address: [UInt8]?) -> Bool {
        guard let address else { return name == "localhost" }
        return address.count == 4 ? address[0] == 127 : address.dropLast().allSatisfy { $0 == 0 } && address.last == 1
    }

    private static func rule(_ text: String) -> Rule? {
        if text == "*" { return .all }
        if let slash = text.firstIndex(of: "/") {
            guard let network = SocketAddress(host: String(text[..<slash]), port: 0)?.bytes,
                let bits = Int(text[text.index(after: slash)...]), (0...network.count * 8).contains(bits)
            else { return nil }
            return .network(network, bits: bits, port: nil)
        }
        let (host, port) = split(text)
        if let address = SocketAddress(host: host, port: 0)?.bytes {
            return .network(address, bits: address.count * 8, port: port)
        }
        let name = host.hasPrefix("*.") ? String(host.dropFirst()) : host
        guard name != ".", !name.isEmpty else { return nil }
        return name.hasPrefix(".")
            ? .domain(normalized(name), itself: false, port: port)
            : .domain("." + normalized(name), itself: true, port: port)
    }

    // `host`, `host:80`, `::1`, `[::1]` or `[::1]:80`.
    private static func split(_ text: String) -> (host: String, port: Int?) {
        if case .host(let host, let port)? = Endpoint.Address(text) { return (host, port) }
        return text.hasPrefix("[") && text.hasSuffix("]") ? (String(text.dropFirst().dropLast()), nil) : (text, nil)
    }

    private static func matches(_ rule: Rule, _ name: String, _ address: [UInt8]?, _ port: Int) -> Bool {
        switch rule {
        case .all: return true
        case .domain(let domain, let itself, let only):
            guard address == nil, only == nil || only == port else { return false }
            return name.hasSuffix(domain) || (itself && name == domain.dropFirst())
        case .network(let network, let bits, let only):
            guard let address, only == nil || only == port else { return false }
            return prefix(address, bits) == prefix(network, bits)
        }
    }

    // The first bits, and how long the whole is: families never match each other.
    private static func prefix(_ address: [UInt8], _ bits: Int) -> [UInt8] {
        address.enumerated().map { index, byte in
            let kept = min(8, max(0, bits - 8 * index))
            return byte & ~UInt8(truncatingIfNeeded: 0xff >> kept)
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
