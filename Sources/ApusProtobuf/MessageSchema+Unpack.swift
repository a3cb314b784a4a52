// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import CProtobufC

extension MessageSchema {
    /// The longest message. Source: protobuf *Encoding*, Message Size.
    static let maximumByteCount = Int(Int32.max)

    /// Admits the bytes and unpacks them into the arena; the struct lives until the arena is given back and the bytes
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
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count > 0 else {
            return try unpackPlain(nil, 0, in: arena)
        }
        guard bytes.count <= Self.maximumByteCount else {
            throw RPCError(.resourceExhausted, "a \(name) of \(bytes.count) bytes is over protobuf's limit of 2 GiB")
        }
        let budget = arena.state.pointee.budget
        do {
            var admission = Admission(budget: budget)
            var cursor = WireCursor(at: start, end: start + bytes.count, start: start)
            try admission.admit(rules, &cursor, depth: depth)
            if admission.needsUnpacker {
                var unpacker = Unpacker(start, in: arena)
                return FieldReader(UnsafeRawPointer(try unpacker.unpack(rules, count: bytes.count)))
            }
        } catch {
            throw error.error(in: self, bytes.count, budget: budget)
        }
        return try unpackPlain(start, bytes.count, in: arena)
    }

    private func unpackPlain(
        _ start: UnsafePointer<UInt8>?, _ count: Int, in arena: Arena
    ) throws(RPCError) -> FieldReader {
        let allocator = arena.state.pointee.allocator.assumingMemoryBound(to: ProtobufCAllocator.self)
        if let message = protobuf_c_message_unpack(descriptor.pointer, allocator, count, start) {
            return FieldReader(UnsafeRawPointer(message))
        }
        if arena.state.pointee.isOverBudget {
            throw Malformed.overBudget(self, count, arena.state.pointee.budget)
        }
        throw RPCError(.internal, "malformed \(name): libprotobuf-c cannot unpack it")
    }
}
