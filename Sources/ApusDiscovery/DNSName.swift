// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A host and a port as a target says them: `dns:///host:port`, `dns:host`, or `host:port` alone. An IPv6 address with
/// a port stands in brackets. Source: gRPC, *Name resolution* (naming.md).
struct DNSName: Equatable, Sendable {
    /// The port of a target that has none.
    static let defaultPort = 443

    let host: String
    let port: Int
    private let hasPort: Bool

    init(_ target: String) throws(RPCError) {
        let rest = try Self.withoutScheme(target)
        guard let (host, port) = Self.split(rest), Self.isHost(host) else {
            throw Self.refusal(target, "it must be a host and a port, such as dns:///users.example:50051")
        }
        self.host = String(host)
        self.port = port ?? Self.defaultPort
        hasPort = port != nil
    }

    /// Whether records of a service may say the port: it is not said, and the host is no address and not this machine,
    /// of which name servers know nothing. Source: RFC 6761, section 6.3.
    var mayHaveServices: Bool {
        let isThisMachine = host == "localhost" || host.hasSuffix(".localhost")
        let isAddress = host.contains(":") || host.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) }
        return !hasPort && !isThisMachine && !isAddress
    }

    private static func withoutScheme(_ target: String) throws(RPCError) -> Substring {
        guard target.hasPrefix("dns:") else { return target[...] }
        let rest = target.dropFirst(4)
        guard rest.hasPrefix("//") else { return rest }
        let parts = rest.dropFirst(2).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw refusal(target, "a slash is missing behind the authority") }
        guard parts[0].isEmpty else {
            throw refusal(target, "a name server of its own ('\(parts[0])') is not supported: leave it empty")
        }
        return parts[1]
    }

    private static func split(_ text: Substring) -> (Substring, Int?)? {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let (host, rest) = (text[..<end].dropFirst(), text[end...].dropFirst())
            return rest.isEmpty ? (host, nil) : port(rest).map { (host, $0) }
        }
        // Two colons and no bracket: an IPv6 address without a port.
        guard let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon else { return (text, nil) }
        return port(text[colon...]).map { (text[..<colon], $0) }
    }

    private static func port(_ text: Substring) -> Int? {
        let digits = text.dropFirst()
        guard text.hasPrefix(":"), !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits).flatMap { (1...65535).contains($0) ? $0 : nil }
    }

    // RFC 1035's limit, and what cannot be part of a host; what else is wrong with a name the resolver tells.
    private static func isHost(_ host: Substring) -> Bool {
        (1...255).contains(host.utf8.count)
            && host.utf8.allSatisfy { $0 > 0x20 && ![0x7F, 0x2F, 0x5B, 0x5D].contains($0) }
    }

    private static func refusal(_ target: String, _ why: String) -> RPCError {
        RPCError(.invalidArgument, "'\(target)' is no target for DNS: \(why)", progress: .notConnected)
    }
}
