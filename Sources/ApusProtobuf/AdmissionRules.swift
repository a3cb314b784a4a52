// SPDX-License-Identifier: Apache-2.0

/// The wire types. Source: protobuf *Encoding*, Message Structure.
enum WireType {
    static let varint: UInt32 = 0
    static let fixed64: UInt32 = 1
    static let delimited: UInt32 = 2
    static let startGroup: UInt32 = 3
    static let endGroup: UInt32 = 4
    static let fixed32: UInt32 = 5
}

/// What the pre-pass checks of a message's fields: a flat table in memory that is never freed, found by number
/// without hashing or reference counting.
struct AdmissionRules {
    /// What is checked of one field.
    struct Field {
        enum Content: UInt8 {
            case plain
            case text
            case message
            case closedEnum
        }

        let number: UInt32
        let wireType: UInt32
        /// The wire type of the elements of a packed run; nil for fields that cannot be packed.
        let packedType: UInt32?
        let content: Content
        /// Counts the fields that can need merging: singular messages, and oneofs with a message in them.
        var merged: Int?
        /// The field's word in the struct if it is a string or bytes outside of lists and oneofs, else 0.
        let dataWord: Int
        var child: AdmissionRules?
        /// The table is kept by its `FieldSchema`, which is never freed.
        let closedEnum: Unmanaged<EnumSchema>?
    }

    struct Table {
        let fields: UnsafeMutablePointer<Field>
        let count: Int
        /// Index + 1 into `fields` for each of the lowest numbers; 0 where there is no such field.
        let direct: UnsafeMutablePointer<UInt16>
        let directCount: UInt32
        let mergedCount: Int
        /// Bytes of the message's struct.
        let byteCount: Int
    }

    let table: UnsafeMutablePointer<Table>

    private static let directLimit = 256

    /// - Parameter fields: by number, each with its first word in the struct.
    init(fields: [(field: FieldSchema, word: Int)], byteCount: Int) {
        var rows = fields.map { Field($0.field, word: $0.word) }
        let mergedCount = Self.countMerged(fields.map(\.field), &rows)
        let memory = UnsafeMutablePointer<Field>.allocate(capacity: max(1, rows.count))
        memory.initialize(from: rows, count: rows.count)
        let low = rows.prefix { $0.number < Self.directLimit }
        let directCount = Int(low.last?.number ?? 0) + 1
        let direct = UnsafeMutablePointer<UInt16>.allocate(capacity: directCount)
        direct.initialize(repeating: 0, count: directCount)
        for (index, row) in low.enumerated() { direct[Int(row.number)] = UInt16(index + 1) }
        table = .allocate(capacity: 1)
        table.initialize(
            to: Table(
                fields: memory, count: rows.count, direct: direct, directCount: UInt32(directCount),
                mergedCount: mergedCount, byteCount: byteCount))
    }

    private static func countMerged(_ fields: [FieldSchema], _ rows: inout [Field]) -> Int {
        var count = 0
        var oneofs: [Int: Int] = [:]
        for field in fields {
            if case .oneof(let index) = field.shape, case .message = field.type, oneofs[index] == nil {
                oneofs[index] = count
                count += 1
            }
        }
        for (index, field) in fields.enumerated() {
            switch (field.shape, field.type) {
            case (.oneof(let oneof), _): rows[index].merged = oneofs[oneof]
            case (.implicit, .message), (.optional, .message):
                rows[index].merged = count
                count += 1
            default: break
            }
        }
        return count
    }

    func link(_ index: Int, to child: AdmissionRules) { table.pointee.fields[index].child = child }

    @inline(__always)
    func find(_ number: UInt32) -> UnsafePointer<Field>? {
        let table = table.pointee
        if number < table.directCount {
            let index = table.direct[Int(number)]
            return index == 0 ? nil : UnsafePointer(table.fields + Int(index) - 1)
        }
        return search(number)
    }

    private func search(_ number: UInt32) -> UnsafePointer<Field>? {
        var low = 0
        var high = table.pointee.count
        while low < high {
            let middle = (low + high) / 2
            let field = table.pointee.fields + middle
            if field.pointee.number == number { return UnsafePointer(field) }
            if field.pointee.number < number { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}

extension AdmissionRules.Field {
    fileprivate init(_ field: FieldSchema, word: Int) {
        number = UInt32(field.number)
        var isRepeated = false
        var isMap = false
        switch field.shape {
        case .repeated, .packed: isRepeated = true
        case .map: isMap = true
        case .oneof, .implicit, .optional: break
        }
        dataWord = field.place == .data || field.place == .presentData ? word : 0
        wireType = isMap ? WireType.delimited : field.type.wireType
        packedType = isRepeated && wireType != WireType.delimited ? wireType : nil
        var content = Content.plain
        var closedEnum: Unmanaged<EnumSchema>?
        switch field.type {
        case _ where isMap: content = .message
        case .string: content = .text
        case .message: content = .message
        case .enumeration(let schema) where schema.isClosed:
            content = .closedEnum
            closedEnum = .passUnretained(schema)
        default: break
        }
        self.content = content
        self.closedEnum = closedEnum
    }
}

extension FieldType {
    var wireType: UInt32 {
        switch self {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enumeration: WireType.varint
        case .double, .fixed64, .sfixed64: WireType.fixed64
        case .float, .fixed32, .sfixed32: WireType.fixed32
        case .string, .bytes, .message: WireType.delimited
        }
    }
}
