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

/// What the ``Unpacker`` knows of a message's fields: a flat table in memory that is never freed,
/// found by number without hashing or reference counting.
struct AdmissionRules {
    struct Table {
        let fields: UnsafeMutablePointer<Field>
        let count: Int
        /// Index + 1 into `fields` for each of the lowest numbers; 0 where there is no such field.
        let direct: UnsafeMutablePointer<UInt16>
        let directCount: UInt32
        /// Bytes of the message's struct.
        let byteCount: Int
        let descriptor: UnsafeRawPointer
        let hasGroups: Bool
    }

    let table: UnsafeMutablePointer<Table>

    private static let directLimit = 256

    /// - Parameter fields: by number, each with its first word in the struct.
    init(fields: [(field: FieldSchema, word: Int)], byteCount: Int, descriptor: UnsafeRawPointer) {
        let rows = fields.map { Field($0.field, word: $0.word) }
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
                byteCount: byteCount, descriptor: descriptor,
                hasGroups: rows.contains { $0.wireType == WireType.startGroup }))
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
