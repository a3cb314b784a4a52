// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import CProtobufC

extension MessageSchema {
    /// The longest message. Source: protobuf *Encoding*, Message Size.
    static let maximumByteCount = Int(Int32.max)

    /// Admits the bytes and unpacks them into the arena; the struct lives until the arena is given back.
    @usableFromInline
    func unpack(_ bytes: UnsafeRawBufferPointer, in arena: Arena) throws(RPCError) -> FieldReader {
        link()
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count > 0 else {
            return try unpackAdmitted(nil, 0, in: arena)
        }
        guard bytes.count <= Self.maximumByteCount else {
            throw RPCError(.resourceExhausted, "a \(name) of \(bytes.count) bytes is over protobuf's limit of 2 GiB")
        }
        if try needsNormalizing(start, bytes.count) { return try unpackNormalized(start, bytes.count, in: arena) }
        return try unpackAdmitted(start, bytes.count, in: arena)
    }

    private func needsNormalizing(_ start: UnsafePointer<UInt8>, _ count: Int) throws(RPCError) -> Bool {
        var admission = Admission()
        var cursor = WireCursor(at: start, end: start + count, start: start)
        do {
            try admission.admit(rules, &cursor)
        } catch {
            throw error.error(in: self)
        }
        return admission.needsNormalizing
    }

    private func unpackNormalized(
        _ start: UnsafePointer<UInt8>, _ count: Int, in arena: Arena
    ) throws(RPCError) -> FieldReader {
        var normalizer = Normalizer(start, count: count)
        do {
            try normalizer.normalize(rules, count: count)
        } catch {
            throw error.error(in: self)
        }
        return try normalizer.output.withUnsafeBufferPointer { (bytes) throws(RPCError) in
            try unpackAdmitted(bytes.baseAddress, bytes.count, in: arena)
        }
    }

    private func unpackAdmitted(
        _ start: UnsafePointer<UInt8>?, _ count: Int, in arena: Arena
    ) throws(RPCError) -> FieldReader {
        let allocator = arena.state.pointee.allocator.assumingMemoryBound(to: ProtobufCAllocator.self)
        if let message = protobuf_c_message_unpack(descriptor.pointer, allocator, count, start) {
            return FieldReader(UnsafeRawPointer(message))
        }
        if arena.state.pointee.isOverBudget {
            throw RPCError(
                .resourceExhausted,
                "a \(name) of \(count) bytes needs more than \(arena.state.pointee.budget) bytes of memory")
        }
        throw RPCError(.internal, "malformed \(name): libprotobuf-c cannot unpack it")
    }
}
