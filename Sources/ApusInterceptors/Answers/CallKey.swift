// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Which metadata tells two calls apart that are the same otherwise.
public struct MetadataDistinction: Sendable, Hashable {
    let keys: [String]?

    /// All of it: calls of different callers, with different credentials, are never taken for the same.
    public static let all = MetadataDistinction(keys: nil)
    /// The values of these keys alone. Name the keys of credentials, unless all callers may see the same.
    public static func keys(_ keys: [String]) -> MetadataDistinction { MetadataDistinction(keys: keys) }
}

/// What makes two unary calls the same: target, method, request and metadata.
struct CallKey: Hashable, Sendable {
    private let target: String
    private let method: MethodDescriptor
    private let request: MessageBytes
    private let metadata: [Metadata.Entry]

    /// Nil for calls with streams.
    init?(_ call: ClientCall, _ distinction: MetadataDistinction) {
        guard case .one(let request) = call.request, !call.method.kind.streamsResponses else { return nil }
        target = call.target
        method = call.method
        self.request = request
        metadata = call.metadata.entries.filter { entry in distinction.keys?.contains(entry.key) ?? true }
    }

    /// The bytes that it keeps in memory, roughly.
    var size: Int { request.count + metadata.count * 64 + 128 }

    func hash(into hasher: inout Hasher) {
        hasher.combine(method.pathHash)
        request.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension MetadataDistinction: CustomStringConvertible {
    /// The keys, without their values.
    public var description: String { keys.map { $0.isEmpty ? "none" : $0.joined(separator: ", ") } ?? "all" }
}
