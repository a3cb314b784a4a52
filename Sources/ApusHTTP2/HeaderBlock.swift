// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// A list of header fields to send. Names and values that are literals are never copied.
public struct HeaderBlock: Sendable {
    // Fields are kept as positions into `storage` or as addresses of literals, and become nghttp2's structures when
    // the block is submitted.
    private enum Text: Sendable {
        case literal(StaticString)
        case stored(offset: Int, count: Int)
    }

    private var fields: [(name: Text, value: Text, isUnique: Bool)] = []
    private var storage: [UInt8] = []
    // What nghttp2 takes, of a block that does not change any more.
    private var fixed: FixedFields?

    /// The largest block that a session can send, in bytes as ``listSize`` counts them.
    package static let maximumListSize = 64 * 1024

    package init() {}

    /// An empty block with room for so many fields, and so many bytes that are no literals.
    package init(fields: Int, bytes: Int) {
        self.fields.reserveCapacity(fields)
        storage.reserveCapacity(bytes)
    }

    package var count: Int { fields.count }

    /// The bytes of names and values, and 32 for each field. Source: RFC 9113, section 10.5.1.
    package private(set) var listSize = 0

    /// Makes it empty, and keeps its memory for the next fields.
    package mutating func removeAll() {
        fixed = nil
        fields.removeAll(keepingCapacity: true)
        storage.removeAll(keepingCapacity: true)
        listSize = 0
    }

    private mutating func append(_ name: Text, _ value: Text, isUnique: Bool = false) {
        // Bounded by memory, far below overflow.
        listSize &+= Self.size(name) &+ Self.size(value) &+ 32
        fields.append((name, value, isUnique))
    }

    private static func size(_ text: Text) -> Int {
        switch text {
        case .literal(let literal): literal.utf8CodeUnitCount
        case .stored(_, let count): count
        }
    }

    /// The same block, quick to submit again and again. Its fields must be literals.
    package var prepared: HeaderBlock {
        guard storage.isEmpty else { return self }
        var block = self
        block.fixed = withFields { FixedFields(UnsafeBufferPointer(start: $0, count: $1)) }
        return block
    }

    /// Appends a field whose name and value are literals.
    package mutating func add(_ name: StaticString, _ value: StaticString) {
        fixed = nil
        append(.literal(name), .literal(value))
    }

    /// Appends a field whose name is a literal.
    package mutating func add(_ name: StaticString, _ value: some Collection<UInt8>) {
        let value = store(value)
        append(.literal(name), value)
    }

    /// Appends a field whose value no other block is likely to have: it stays out of the peer's table, from which it
    /// would drive what is worth keeping.
    package mutating func add(unique name: StaticString, _ value: some Collection<UInt8>) {
        let value = store(value)
        append(.literal(name), value, isUnique: true)
    }

    /// Appends a field.
    package mutating func add(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        let name = store(name)
        let value = store(value)
        append(name, value)
    }

    private mutating func store(_ bytes: some Collection<UInt8>) -> Text {
        fixed = nil
        let offset = storage.count
        // Not specialized for callers of other modules: byte by byte through witnesses would cost ten times as much.
        if bytes.withContiguousStorageIfAvailable({ storage.append(contentsOf: $0) }) == nil {
            for byte in bytes { storage.append(byte) }
        }
        return .stored(offset: offset, count: storage.count - offset)
    }

    /// The fields as nghttp2 takes them; valid during the call.
    func withFields<R>(_ body: (UnsafePointer<nghttp2_nv>, Int) -> R) -> R {
        if let fixed { return body(fixed.start, fields.count) }
        return storage.withUnsafeBufferPointer { stored in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: max(fields.count, 1)) { target in
                for (index, field) in fields.enumerated() {
                    var next = Self.field(field.name, field.value, stored)
                    if field.isUnique { next.flags |= UInt8(truncatingIfNeeded: NGHTTP2_NV_FLAG_NO_INDEX.rawValue) }
                    target.initializeElement(at: index, to: next)
                }
                // A temporary allocation always has an address.
                return target.baseAddress.map { body(UnsafePointer($0), fields.count) } ?? body(Self.none, 0)
            }
        }
    }

    // Never read: it goes with a count of zero.
    nonisolated(unsafe) private static let none = UnsafePointer(UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: 1))

    private static func field(_ name: Text, _ value: Text, _ stored: UnsafeBufferPointer<UInt8>) -> nghttp2_nv {
        let (nameStart, nameCount, nameFlag) = address(name, stored, NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
        let (valueStart, valueCount, valueFlag) = address(value, stored, NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        return nghttp2_nv(
            name: UnsafeMutablePointer(mutating: nameStart), value: UnsafeMutablePointer(mutating: valueStart),
            namelen: nameCount, valuelen: valueCount, flags: UInt8(truncatingIfNeeded: nameFlag | valueFlag))
    }

    // Literals live as long as the process, so nghttp2 need not copy them; it copies what is stored here.
    private static func address(
        _ text: Text, _ stored: UnsafeBufferPointer<UInt8>, _ flag: UInt32
    ) -> (UnsafePointer<UInt8>?, Int, UInt32) {
        switch text {
        case .literal(let literal): (literal.utf8Start, literal.utf8CodeUnitCount, flag)
        case .stored(let offset, let count): (stored.baseAddress.map { $0 + offset }, count, 0)
        }
    }
}

/// nghttp2's structures of a block of literals, in memory of their own. Immutable: hence Sendable.
private final class FixedFields: @unchecked Sendable {
    let start: UnsafePointer<nghttp2_nv>

    init(_ fields: UnsafeBufferPointer<nghttp2_nv>) {
        let copy = UnsafeMutableBufferPointer<nghttp2_nv>.allocate(capacity: max(fields.count, 1))
        for (index, field) in fields.enumerated() { copy.initializeElement(at: index, to: field) }
        start = UnsafePointer(copy.baseAddress ?? .allocate(capacity: 1))
    }

    deinit { start.deallocate() }
}
