// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// What makes calls belong together for ``RingHash`` and ``Maglev``: those with the same key go to the same endpoint.
/// A call without a key goes to a random one. Source: gRFC A42, *Hash Policy*.
public struct RequestHash: Sendable, CustomStringConvertible {
    /// What calls belong together by.
    public let description: String
    private let hash: @Sendable (ClientCall) -> UInt64?

    private init(_ description: String, _ hash: @escaping @Sendable (ClientCall) -> UInt64?) {
        self.description = description
        self.hash = hash
    }

    /// By a metadata key: all its values, in their order.
    public static func metadata(_ key: String) -> RequestHash {
        RequestHash("metadata \(key)") { call in
            if key.hasSuffix("-bin") {
                let values = call.metadata.binaryValues(of: key)
                return values.isEmpty ? nil : XXHash64.hash(Array(values.joined(separator: [UInt8(ascii: ",")])))
            }
            let values = call.metadata.values(of: key)
            return values.isEmpty ? nil : XXHash64.hash(values.joined(separator: ","))
        }
    }

    /// By a key of yours; nil for a call that has none. Called for each try.
    public static func key(_ key: @escaping @Sendable (ClientCall) -> String?) -> RequestHash {
        RequestHash("a key of the application's") { key($0).map { XXHash64.hash($0) } }
    }

    /// By nothing: each try goes to a random endpoint, in proportion to the weights.
    public static var random: RequestHash { RequestHash("nothing") { _ in nil } }

    func value(for call: ClientCall, _ random: any RandomSource) -> UInt64 { hash(call) ?? random.next() }
}
