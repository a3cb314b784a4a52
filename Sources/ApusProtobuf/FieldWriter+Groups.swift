// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// Groups of one field, to become unknown fields of their message: libprotobuf-c writes those as they are, between
/// whatever tags.
@usableFromInline
struct WrittenGroup {
    // Both lie in the arena that keeps this.
    @usableFromInline let parent: UnsafeMutableRawPointer
    @usableFromInline let number: UInt32
    @usableFromInline let children: [UnsafeRawPointer]

    @inlinable
    init(parent: UnsafeMutableRawPointer, number: UInt32, children: [UnsafeRawPointer]) {
        self.parent = parent
        self.number = number
        self.children = children
    }
}

extension FieldWriter {
    /// A group (proto2).
    @inlinable
    public func group<M: ProtobufMessage>(_ value: M?, number: UInt32) {
        if let value { groups([value], number: number) }
    }

    /// Groups (proto2).
    @inlinable
    public func groups<M: ProtobufMessage>(_ values: [M], number: UInt32) {
        guard !values.isEmpty else { return }
        // Groups inside of these register themselves while they are written, and so come first.
        let children = values.map { child($0) }
        arena.state.pointee.groups.append(WrittenGroup(parent: message, number: number, children: children))
    }
}

extension Arena {
    func packGroups() {
        guard !state.pointee.groups.isEmpty else { return }
        for group in state.pointee.groups { pack(group) }
        state.pointee.groups.removeAll(keepingCapacity: true)
    }

    private func pack(_ group: WrittenGroup) {
        let header = group.parent.assumingMemoryBound(to: ProtobufCMessage.self)
        let known = Int(header.pointee.n_unknown_fields)
        let fields = allocate((known + group.children.count) * MemoryLayout<ProtobufCMessageUnknownField>.stride)
            .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: known + group.children.count)
        if let before = header.pointee.unknown_fields { fields.initialize(from: before, count: known) }
        for (index, child) in group.children.enumerated() {
            (fields + known + index).initialize(to: packed(child, group.number))
        }
        header.pointee.n_unknown_fields = UInt32(truncatingIfNeeded: known + group.children.count)
        header.pointee.unknown_fields = fields
    }

    private func packed(_ child: UnsafeRawPointer, _ number: UInt32) -> ProtobufCMessageUnknownField {
        let message = child.assumingMemoryBound(to: ProtobufCMessage.self)
        var end: [UInt8] = []
        end.appendVarint(UInt64(number << 3 | WireType.endGroup))
        let size = protobuf_c_message_get_packed_size(message)
        let memory = allocate(size + end.count).bindMemory(to: UInt8.self, capacity: size + end.count)
        _ = protobuf_c_message_pack(message, memory)
        (memory + size).initialize(from: end, count: end.count)
        return ProtobufCMessageUnknownField(
            tag: number, wire_type: ProtobufCWireType(WireType.startGroup), len: size + end.count, data: memory)
    }
}
