// SPDX-License-Identifier: Apache-2.0

/// The name of a way to compress messages, as `grpc-encoding` carries it. Source: gRPC, *Compression*.
public struct Compression: Sendable, Hashable, ExpressibleByStringLiteral {
    // Behind one reference: it is copied with every call, at every interceptor.
    private final class Name: Sendable {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private let storage: Name

    /// The name, such as `gzip`.
    public var name: String { storage.text }

    /// A compression by its name, for which both sides need a ``Compressor``.
    public init(_ name: String) { storage = Name(name) }

    /// A compression by its name.
    public init(stringLiteral name: String) { self.init(name) }

    /// None: messages as they are.
    public static let identity = Compression("identity")
    /// The gzip format, RFC 1952.
    public static let gzip = Compression("gzip")
    /// The zlib format, RFC 1950, which HTTP calls deflate.
    public static let deflate = Compression("deflate")

    /// Compressions are the same when their names are.
    public static func == (left: Compression, right: Compression) -> Bool {
        left.storage === right.storage || left.name == right.name
    }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Compression: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}
