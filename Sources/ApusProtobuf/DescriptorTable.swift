// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// A message's descriptor as libprotobuf-c wants it, in memory that is never freed.
///
/// Strings are described as bytes, so that their length travels with them; scalars as optional with a flag of their
/// own, so that the bits decide what is a default. libprotobuf-c never reads enum descriptors, so there are none.
struct DescriptorTable {
    private let descriptor: UnsafeMutablePointer<ProtobufCMessageDescriptor>
    private let fields: UnsafeMutablePointer<ProtobufCFieldDescriptor>

    var address: UnsafeRawPointer { UnsafeRawPointer(descriptor) }
    var pointer: UnsafePointer<ProtobufCMessageDescriptor> { UnsafePointer(descriptor) }

    /// - Parameter rows: the fields by number, each with its first word in the struct.
    init(name: String, byteCount: Int, fields rows: [(field: FieldSchema, word: Int)]) {
        // libprotobuf-c looks at the first field before it knows that there is one.
        fields = .allocate(capacity: max(1, rows.count))
        fields.initialize(to: ProtobufCFieldDescriptor())
        for (index, row) in rows.enumerated() {
            (fields + index).initialize(to: ProtobufCFieldDescriptor(row.field, word: row.word))
        }
        let (ranges, rangeCount) = Self.ranges(of: rows.map { Int32(truncatingIfNeeded: $0.field.number) })
        var table = ProtobufCMessageDescriptor()
        table.magic = UInt32(PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        table.name = cString(name)
        table.short_name = table.name
        table.c_name = table.name
        table.package_name = cString("")
        table.sizeof_message = byteCount
        table.n_fields = UInt32(rows.count)
        table.fields = UnsafePointer(fields)
        table.n_field_ranges = UInt32(rangeCount)
        table.field_ranges = UnsafePointer(ranges)
        descriptor = .allocate(capacity: 1)
        descriptor.initialize(to: table)
    }

    func link(_ index: Int, to child: DescriptorTable) {
        fields[index].descriptor = child.address
    }

    /// The runs of consecutive numbers, and one more that ends the last.
    private static func ranges(of numbers: [Int32]) -> (UnsafeMutablePointer<ProtobufCIntRange>, Int) {
        var ranges: [ProtobufCIntRange] = []
        for (index, number) in numbers.enumerated() where index == 0 || numbers[index - 1] != number - 1 {
            ranges.append(ProtobufCIntRange(start_value: number, orig_index: UInt32(index)))
        }
        let count = ranges.count
        ranges.append(ProtobufCIntRange(start_value: 0, orig_index: UInt32(numbers.count)))
        let memory = UnsafeMutablePointer<ProtobufCIntRange>.allocate(capacity: ranges.count)
        memory.initialize(from: ranges, count: ranges.count)
        return (memory, count)
    }
}

/// The text with a NUL behind it, in memory that is never freed.
private func cString(_ text: String) -> UnsafePointer<CChar> {
    let bytes = text.utf8CString
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() { memory[index] = byte }
    return UnsafePointer(memory)
}

extension ProtobufCFieldDescriptor {
    fileprivate init(_ field: FieldSchema, word: Int) {
        self.init()
        let offset = UInt32(word * 8)
        name = cString(field.name)
        id = UInt32(field.number)
        type = field.cType
        label = PROTOBUF_C_LABEL_OPTIONAL
        self.offset = offset
        switch field.place {
        case .narrow: quantifier_offset = offset + 4
        case .wide: quantifier_offset = offset + 8
        case .presentData: quantifier_offset = offset + 16
        case .message: break
        // For bytes without a label libprotobuf-c takes a length of zero for absence, as proto3 does.
        case .data: label = PROTOBUF_C_LABEL_NONE
        case .list:
            label = PROTOBUF_C_LABEL_REPEATED
            quantifier_offset = offset
            self.offset = offset + 8
            if case .packed = field.shape { flags = PROTOBUF_C_FIELD_FLAG_PACKED.rawValue }
        case .oneof:
            quantifier_offset = offset + 16
            flags = PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue
        }
    }
}

extension FieldSchema {
    fileprivate var cType: ProtobufCType {
        if case .map = shape { return PROTOBUF_C_TYPE_MESSAGE }
        return switch type {
        case .double: PROTOBUF_C_TYPE_DOUBLE
        case .float: PROTOBUF_C_TYPE_FLOAT
        case .int32: PROTOBUF_C_TYPE_INT32
        case .int64: PROTOBUF_C_TYPE_INT64
        case .uint32: PROTOBUF_C_TYPE_UINT32
        case .uint64: PROTOBUF_C_TYPE_UINT64
        case .sint32: PROTOBUF_C_TYPE_SINT32
        case .sint64: PROTOBUF_C_TYPE_SINT64
        case .fixed32: PROTOBUF_C_TYPE_FIXED32
        case .fixed64: PROTOBUF_C_TYPE_FIXED64
        case .sfixed32: PROTOBUF_C_TYPE_SFIXED32
        case .sfixed64: PROTOBUF_C_TYPE_SFIXED64
        case .bool: PROTOBUF_C_TYPE_BOOL
        case .string, .bytes: PROTOBUF_C_TYPE_BYTES
        case .enumeration: PROTOBUF_C_TYPE_ENUM
        // libprotobuf-c knows no groups: it never gets to see one.
        case .message, .group, .dynamic: PROTOBUF_C_TYPE_MESSAGE
        }
    }
}
