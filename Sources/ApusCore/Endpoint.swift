// SPDX-License-Identifier: Apache-2.0

/// A place where a service can be called, with what its registry says about it.
///
/// Two endpoints are the same place when their addresses are equal; metadata and weight only describe it. Who is there
/// is said by ``instance``: what policies have learnt of one instance does not hold for the next one.
public struct Endpoint: Sendable, Hashable {
    /// Where to connect.
    public enum Address: Sendable, Hashable {
        /// An IP address or a host name, and a port.
        case host(String, port: Int)
        /// The path of a Unix domain socket.
        case unix(path: String)
        /// A name in Linux's abstract namespace of Unix domain sockets, without the leading NUL. No file belongs to it.
        case unixAbstract(name: String)
        /// A name inside an in-memory network.
        case memory(String)
    }

    /// Where to connect.
    public var address: Address
    /// What a registry tells about the instance: version, zone, process id …
    public var metadata: [String: String]
    /// The share of calls relative to other endpoints; 1 unless told.
    public var weight: Double
    /// What tells this instance from those that were at the address before it; registries set it. nil where nobody
    /// knows: then whoever is at the address counts as the one who always was.
    public var instance: String?

    /// An endpoint.
    public init(
        _ address: Address, metadata: [String: String] = [:], weight: Double = 1, instance: String? = nil
    ) {
        self.address = address
        self.metadata = metadata
        self.weight = weight
        self.instance = instance
    }

    /// An endpoint at a host (an IP address or a name) and port.
    public init(host: String, port: Int, metadata: [String: String] = [:], weight: Double = 1) {
        self.init(.host(host, port: port), metadata: metadata, weight: weight)
    }
}

extension Endpoint.Address: CustomStringConvertible {
    /// `127.0.0.1:50051`, `[::1]:50051`, `unix:/run/x.sock`, `unix-abstract:x` or `memory:users`.
    public var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .unixAbstract(let name): "unix-abstract:\(name)"
        case .memory(let name): "memory:\(name)"
        }
    }
}

extension Endpoint.Address: LosslessStringConvertible {
    /// Reads what ``description`` writes, and the spelling `unix:///path` of gRPC's naming document; nil for anything
    /// else.
    public init?(_ text: String) {
        if text.hasPrefix("unix://") {
            // An authority would stand between the slashes: there is none.
            guard text.hasPrefix("unix:///") else { return nil }
            self = .unix(path: String(text.dropFirst(7)))
            return
        }
        guard let address = Self.local(text) ?? Self.host(text) else { return nil }
        // One spelling for each address: no `+80`, no `080`, no `[name]:80`.
        guard address.description == text else { return nil }
        self = address
    }

    private static func local(_ text: String) -> Endpoint.Address? {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "unix": return rest.isEmpty ? nil : .unix(path: rest)
        case "unix-abstract": return rest.isEmpty ? nil : .unixAbstract(name: rest)
        case "memory": return .memory(rest)
        default: return nil
        }
    }

    private static func host(_ text: String) -> Endpoint.Address? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        guard let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : .host(String(host), port: port)
    }
}

extension Endpoint: CustomStringConvertible {
    /// The address.
    public var description: String { address.description }
}
