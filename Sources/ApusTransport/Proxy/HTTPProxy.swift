// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// An HTTP proxy through which connections are made: it is asked for a tunnel with CONNECT, and resolves names itself.
/// Source: RFC 9110, section 9.3.6.
public struct HTTPProxy: Sendable, Hashable {
    /// Where the proxy listens, reached in cleartext: TLS of the channel runs inside of the tunnel.
    public var address: Endpoint.Address
    /// `user:password` for `Proxy-Authorization: Basic`; nil sends none. Source: RFC 7617.
    public var credentials: String?

    /// A proxy at a host and port.
    public init(host: String, port: Int, credentials: String? = nil) {
        address = .host(host, port: port)
        self.credentials = credentials
    }

    /// A proxy as environment variables spell it: `http://user:password@host:port`. What is left out: credentials,
    /// none; the port, 80; the scheme, `http`. User and password may be percent-encoded.
    ///
    /// - Throws: INVALID_ARGUMENT for anything else, such as `https` or `socks5` proxies.
    public init(_ url: String) throws(RPCError) {
        guard let proxy = Self.parse(url) else {
            // Without the text: it may hold a password.
            throw RPCError(
                .invalidArgument, "a proxy must be spelled http://user:password@host:port, without TLS of its own",
                progress: .notConnected)
        }
        self = proxy
    }

    private static func parse(_ url: String) -> HTTPProxy? {
        var rest = url[...]
        if let scheme = rest.firstIndex(of: ":"), rest[scheme...].hasPrefix("://") {
            guard rest[..<scheme].lowercased() == "http" else { return nil }
            rest = rest[rest.index(scheme, offsetBy: 3)...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var credentials: String?
        if let at = rest.lastIndex(of: "@") {
            guard let decoded = percentDecoded(rest[..<at]) else { return nil }
            credentials = decoded.contains(":") ? decoded : decoded + ":"
            rest = rest[rest.index(after: at)...]
        }
        guard !rest.contains(where: { "/?#@ ".contains($0) }) else { return nil }
        let hasPort = rest.last != "]" && rest.contains(":")
        guard case .host(let host, let port)? = Endpoint.Address(hasPort ? String(rest) : "\(rest):80"), port > 0 else {
            return nil
        }
        return HTTPProxy(host: host, port: port, credentials: credentials)
    }

    // Nil for a broken escape, and for what no header field can carry.
    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let code = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        guard bytes.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPProxy: CustomStringConvertible {
    /// `http://host:port`; never the credentials.
    public var description: String { "http://\(address)" }
}

/// Which connections of a channel go through a proxy. Only TCP connections ever do.
public enum ProxyPolicy: Sendable, Hashable {
    /// What the environment says when the channel is made.
    ///
    /// The proxy: the first of `grpc_proxy`, `https_proxy`, `HTTPS_PROXY` and `http_proxy` that is not empty. Hosts
    /// that are reached without it: the first of `no_grpc_proxy`, `no_proxy` and `NO_PROXY`, a list with commas of
    /// `example.com` (that host and all below it), `.example.com` (all below it), `10.1.2.3`, `10.0.0.0/8`,
    /// `[::1]:443` or `host:port`, or `*` for all. `localhost` and loopback addresses are never reached through it.
    /// Source: gRPC, *Environment Variables*.
    case environment
    /// None.
    case direct
    /// All, through one proxy.
    case through(HTTPProxy)
}
