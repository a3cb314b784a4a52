// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// A list of header fields to send. Names and values that are literals are never copied.
public struct HeaderBlock: Sendable {
    // One of them, or none: blocks that never change are handed out for every response.
    private var list: FieldList?
    private var prepared: PreparedFields?

    /// The largest block that a session can send, in bytes as ``listSize`` counts them.
    package static let maximumListSize = 64 * 1024

    package init() {}

    /// An empty block with room for so many fields, and so many bytes that are no literals.
    package init(fields: Int, bytes: Int) { list = FieldList(fields: fields, bytes: bytes) }

    /// A block of fields that live as long as every session that it is submitted to, or as its stream.
    package init(_ prepared: PreparedFields) { self.prepared = prepared }

    package var count: Int { prepared?.count ?? list?.fields.count ?? 0 }

    /// The bytes of names and values, and 32 for each field. Source: RFC 9113, section 10.5.1.
    package var listSize: Int { prepared?.listSize ?? list?.size ?? 0 }

    /// Makes it empty, and keeps its memory for the next fields.
    package mutating func removeAll() {
        prepared = nil
        own().removeAll()
    }

    /// Appends fields that live as long as every session that the block is submitted to.
    package mutating func add(_ prepared: PreparedFields) { own().append(prepared) }

    /// Appends a field whose name and value are literals.
    package mutating func add(_ name: StaticString, _ value: StaticString) { own().append(name, value) }

    /// Appends a field whose name is a literal.
    package mutating func add(_ name: StaticString, _ value: some Collection<UInt8>) { own().append(name, value, 0) }

    /// Appends a field whose value no other block is likely to have: it stays out of the peer's table, from which it
    /// would drive what is worth keeping.
    package mutating func add(unique name: StaticString, _ value: some Collection<UInt8>) {
        own().append(name, value, UInt8(truncatingIfNeeded: NGHTTP2_NV_FLAG_NO_INDEX.rawValue))
    }

    /// Appends a field.
    package mutating func add(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        own().append(name, value)
    }

    private mutating func own() -> FieldList {
        if isKnownUniquelyReferenced(&list), let list { return list }
        let new = list.map { FieldList($0) } ?? FieldList(fields: 0, bytes: 0)
        if let prepared { new.append(prepared) }
        prepared = nil
        list = new
        return new
    }

    /// The fields as nghttp2 takes them; valid during the call.
    func withFields<R>(_ body: (UnsafePointer<nghttp2_nv>, Int) -> R) -> R {
        if let prepared { return body(prepared.start, prepared.count) }
        guard let list else { return body(Self.none, 0) }
        return list.withFields(body)
    }

    // Never read: it goes with a count of zero.
    nonisolated(unsafe) fileprivate static let none = UnsafePointer(
        UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: 1))
}

/// The fields of a block, as nghttp2's structures.
///
/// Sendable: changed only by the one block that refers to it. It points to literals and to ``PreparedFields``.
private final class FieldList: @unchecked Sendable {
    // A text in `storage`, which may move: it has its address when the block is submitted.
    private struct StoredText {
        let field: Int
        let isName: Bool
        let offset: Int
    }

    // Unchecked: no access lasts while something else is called.
    @exclusivity(unchecked) private(set) var fields: [nghttp2_nv] = []
    @exclusivity(unchecked) private(set) var size = 0
    @exclusivity(unchecked) private var storage: [UInt8] = []
    @exclusivity(unchecked) private var stored: [StoredText] = []

    init(fields count: Int, bytes: Int) {
        fields.reserveCapacity(count)
        storage.reserveCapacity(bytes)
        stored.reserveCapacity(count)
    }

    init(_ other: FieldList) {
        fields = other.fields
        size = other.size
        storage = other.storage
        stored = other.stored
    }

    func removeAll() {
        fields.removeAll(keepingCapacity: true)
        size = 0
        guard !stored.isEmpty else { return }
        storage.removeAll(keepingCapacity: true)
        stored.removeAll(keepingCapacity: true)
    }

    func append(_ prepared: PreparedFields) {
        size &+= prepared.listSize
        fields.append(contentsOf: UnsafeBufferPointer(start: prepared.start, count: prepared.count))
    }

    func append(_ name: StaticString, _ value: StaticString) {
        var field = Self.named(name)
        field.value = UnsafeMutablePointer(mutating: value.utf8Start)
        field.valuelen = value.utf8CodeUnitCount
        field.flags |= UInt8(truncatingIfNeeded: NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        append(field)
    }

    func append(_ name: StaticString, _ value: some Collection<UInt8>, _ flags: UInt8) {
        var field = Self.named(name)
        field.flags |= flags
        field.valuelen = store(value, isName: false)
        append(field)
    }

    func append(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) {
        var field = nghttp2_nv()
        field.namelen = store(name, isName: true)
        field.valuelen = store(value, isName: false)
        append(field)
    }

    private func append(_ field: nghttp2_nv) {
        // Bounded by memory, far below overflow.
        size &+= field.namelen &+ field.valuelen &+ 32
        fields.append(field)
    }

    // A text of the field that comes next.
    private func store(_ bytes: some Collection<UInt8>, isName: Bool) -> Int {
        let offset = storage.count
        // Not specialized for callers of other modules: byte by byte through witnesses would cost ten times as much.
        if bytes.withContiguousStorageIfAvailable({ storage.append(contentsOf: $0) }) == nil {
            for byte in bytes { storage.append(byte) }
        }
        stored.append(StoredText(field: fields.count, isName: isName, offset: offset))
        return storage.count - offset
    }

    // Literals live as long as the process, so nghttp2 need not copy them; it copies what is stored here.
    private static func named(_ name: StaticString) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: nil, namelen: name.utf8CodeUnitCount,
            valuelen: 0, flags: UInt8(truncatingIfNeeded: NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue))
    }

    func withFields<R>(_ body: (UnsafePointer<nghttp2_nv>, Int) -> R) -> R {
        fields.withUnsafeBufferPointer { fields in
            // An empty array may have no address; nothing is read there.
            guard let start = fields.baseAddress else { return body(HeaderBlock.none, 0) }
            guard !stored.isEmpty else { return body(start, fields.count) }
            return withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { copy in
                _ = copy.initialize(from: fields)
                address(copy)
                return body(copy.baseAddress.map { UnsafePointer($0) } ?? start, fields.count)
            }
        }
    }

    private func address(_ copy: UnsafeMutableBufferPointer<nghttp2_nv>) {
        storage.withUnsafeBufferPointer { storage in
            guard let texts = storage.baseAddress.map({ UnsafeMutablePointer(mutating: $0) }) else { return }
            for text in stored {
                if text.isName {
                    copy[text.field].name = texts + text.offset
                } else {
                    copy[text.field].value = texts + text.offset
                }
            }
        }
    }
}

/// Fields that many blocks have in common, with their texts in memory of their own: nghttp2 copies nothing of them, so
/// they must live as long as the sessions to which they are submitted.
///
/// Sendable: never changed.
package final class PreparedFields: @unchecked Sendable {
    /// How many there are.
    package let count: Int
    fileprivate let start: UnsafePointer<nghttp2_nv>
    fileprivate let listSize: Int
    private let texts: UnsafeMutablePointer<UInt8>

    /// Those of a block.
    package init(_ block: HeaderBlock) {
        count = block.count
        listSize = block.listSize
        let texts = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, listSize))
        let copies = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: max(1, count))
        var end = texts
        func kept(_ text: UnsafeMutablePointer<UInt8>?, _ size: Int) -> UnsafeMutablePointer<UInt8> {
            defer { end += size }
            if let text { end.update(from: text, count: size) }
            return end
        }
        block.withFields { fields, count in
            for index in 0..<count {
                var field = fields[index]
                field.name = kept(field.name, field.namelen)
                field.value = kept(field.value, field.valuelen)
                field.flags |= UInt8(
                    truncatingIfNeeded: NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue
                        | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
                (copies + index).initialize(to: field)
            }
        }
        start = UnsafePointer(copies)
        self.texts = texts
    }

    deinit {
        start.deallocate()
        texts.deallocate()
    }
}
