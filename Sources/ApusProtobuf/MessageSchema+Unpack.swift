// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension MessageSchema {
    /// The longest message. Source: protobuf *Encoding*, Message Size.
    static let maximumByteCount = Int(Int32.max)

    /// Unpacks the bytes into the arena; the struct lives until the arena is given back and the bytes
    /// are gone, whatever comes first.
    @usableFromInline
    func unpack(
        _ bytes: UnsafeRawBufferPointer, in arena: Arena, depth: Int = maximumDepth
    ) throws(RPCError) -> FieldReader {
        link()
        let reader = try unpackUnchecked(bytes, in: arena, depth: depth)
        if reachesRequired { try checkRequired(reader) }
        return reader
    }

    private func unpackUnchecked(
        _ bytes: UnsafeRawBufferPointer, in arena: Arena, depth: Int
    ) throws(RPCError) -> FieldReader {
        guard bytes.count <= Self.maximumByteCount else {
            throw RPCError(.resourceExhausted, "a \(name) of \(bytes.count) bytes is over protobuf's limit of 2 GiB")
        }
        var unpacker = Unpacker(in: arena)
        do {
            return FieldReader(UnsafeRawPointer(try unpacker.unpack(rules, bytes, depth: depth)))
        } catch {
            throw error.error(in: self, bytes.count, budget: arena.state.pointee.budget)
        }
    }
}
