// SPDX-License-Identifier: Apache-2.0

public import ApusCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Data {
    /// A message's bytes, copied once: a `Data` may be changed in place, a message may not.
    public init(_ message: MessageBytes) { self = message.withUnsafeBytes { Data($0) } }
}

extension MessageBytes {
    /// A message with the data's bytes, copied once into a buffer with room for gRPC's prefix.
    ///
    /// - Throws: RESOURCE_EXHAUSTED over 4 GiB, which the prefix cannot say.
    public init(_ data: Data) throws(RPCError) {
        do {
            try self.init(count: data.count) { _ = data.copyBytes(to: $0) }
        } catch {
            throw RPCError(wrapping: error)
        }
    }
}

/// Whatever reads contiguous bytes (a hash, a decoder) reads a message where it is.
extension MessageBytes: ContiguousBytes {}
