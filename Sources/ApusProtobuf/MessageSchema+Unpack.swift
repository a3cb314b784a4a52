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
        let admission = try admit(start, bytes.count, budget: arena.state.pointee.budget)
        if admission.needsNormalizing { return try unpackNormalized(start, bytes.count, in: arena) }
        guard let large = admission.largeField else { return try unpackAdmitted(start, bytes.count, in: arena) }
        let rest = large.removed(from: start, bytes.count, in: arena)
        let reader = try unpackAdmitted(rest.baseAddress, rest.count, in: arena)
        large.put(into: UnsafeMutableRawPointer(mutating: reader.message))
        return reader
    }

    private func admit(
        _ start: UnsafePointer<UInt8>, _ count: Int, budget: Int
    ) throws(RPCError) -> Admission {
        var admission = Admission(budget: budget)
        var cursor = WireCursor(at: start, end: start + count, start: start)
        do {
            try admission.admit(rules, &cursor)
        } catch {
            throw error.error(in: self, count, budget: budget)
        }
        return admission
    }

    private func unpackNormalized(
        _ start: UnsafePointer<UInt8>, _ count: Int, in arena: Arena
    ) throws(RPCError) -> FieldReader {
        var normalizer = Normalizer(start, count: count)
        do {
            try normalizer.normalize(rules, count: count)
        } catch {
            throw error.error(in: self, count, budget: arena.state.pointee.budget)
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
            throw Malformed.overBudget(self, count, arena.state.pointee.budget)
        }
        throw RPCError(.internal, "malformed \(name): libprotobuf-c cannot unpack it")
    }
}
