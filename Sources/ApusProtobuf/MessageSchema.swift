// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The table of a message: its name, its fields, and what libprotobuf-c and the ``Unpacker`` need to know of them.
///
/// Immutable and never freed: C keeps pointers into it. Tables may refer to each other in circles, so a table is
/// linked to those of its fields at its first use and not when it is made.
public final class MessageSchema: @unchecked Sendable {
    /// The full name in the .proto file, such as `users.v1.User`.
    public let name: String
    /// The fields in the order of the .proto file.
    public let fields: [FieldSchema]

    // Memory of these is allocated and filled here or while linking under the lock, and immutable after: hence
    // Sendable. Readers see it filled because they read `isLinked` with acquiring order first.
    let descriptor: DescriptorTable
    let rules: UnpackRules
    let entries: [Int: MessageSchema]
    /// The first word of each field in the struct, in the order of `fields`.
    let words: [Int]
    /// Whether the message, or one that it can contain, has required fields. Known when it is linked.
    private(set) var reachesRequired: Bool
    private let isLinked = Atomic(false)
    private static let linking = Mutex(())

    @usableFromInline let byteCount: Int
    @usableFromInline let descriptorAddress: UnsafeRawPointer

    /// Whether this is the table of a map's entries.
    let isEntry: Bool

    /// A message's table. Map fields bring the table of their entries with them.
    public convenience init(_ name: String, _ fields: [FieldSchema]) { self.init(name, fields, isEntry: false) }

    private init(_ name: String, _ fields: [FieldSchema], isEntry: Bool) {
        self.isEntry = isEntry
        self.name = name
        self.fields = fields
        let (words, total) = FieldPlace.layout(fields.map(\.place))
        byteCount = total * 8
        self.words = words
        reachesRequired = fields.contains { if case .required = $0.shape { true } else { false } }
        let sorted = zip(fields, words).sorted { $0.0.number < $1.0.number }.map { (field: $0.0, word: $0.1) }
        descriptor = DescriptorTable(name: name, byteCount: byteCount, fields: sorted)
        descriptorAddress = descriptor.address
        rules = UnpackRules(fields: sorted, byteCount: byteCount, descriptor: descriptorAddress)
        entries = Self.entries(of: name, fields)
    }

    /// A map is a repeated message with the fields `key` and `value`. Source: protobuf *Encoding*, Maps.
    private static func entries(of name: String, _ fields: [FieldSchema]) -> [Int: MessageSchema] {
        var entries: [Int: MessageSchema] = [:]
        for field in fields {
            guard case .map(let key) = field.shape else { continue }
            var shape = FieldShape.implicit
            if field.type.isMessage { shape = .optional }
            entries[field.number] = MessageSchema(
                "\(name).\(field.name)",
                [FieldSchema(1, "key", key), FieldSchema(2, "value", field.type, shape)], isEntry: true)
        }
        return entries
    }

    /// The table of a message field's messages, a map's entries included; nil for other fields.
    func schema(of field: FieldSchema) -> MessageSchema? { entries[field.number] ?? field.type.schema }

    @inline(__always)
    func link() {
        if !isLinked.load(ordering: .acquiring) { linkAll() }
    }

    // All tables that can be reached are linked before one of them says so; nobody else uses them until then.
    private func linkAll() {
        Self.linking.withLock { _ in
            guard !isLinked.load(ordering: .acquiring) else { return }
            var found: [ObjectIdentifier: MessageSchema] = [ObjectIdentifier(self): self]
            var pending = [self]
            while let schema = pending.popLast() {
                for (index, field) in schema.fieldsByNumber.enumerated() {
                    guard let child = schema.schema(of: field) else { continue }
                    schema.descriptor.link(index, to: child.descriptor)
                    schema.rules.link(index, to: child.rules)
                    guard !child.isLinked.load(ordering: .acquiring) else { continue }
                    if found.updateValue(child, forKey: ObjectIdentifier(child)) == nil { pending.append(child) }
                }
            }
            Self.spreadRequired(Array(found.values))
            for schema in found.values { schema.isLinked.store(true, ordering: .releasing) }
        }
    }

    // From those that have required fields to all that can contain them: linear, also for circles and long chains.
    private static func spreadRequired(_ schemas: [MessageSchema]) {
        var parents: [ObjectIdentifier: [MessageSchema]] = [:]
        var pending = schemas.filter(\.reachesRequired)
        for schema in schemas {
            for child in schema.fields.compactMap(schema.schema(of:)) {
                parents[ObjectIdentifier(child), default: []].append(schema)
                // Linked before, and so not among these.
                if child.isLinked.load(ordering: .acquiring), child.reachesRequired { pending.append(child) }
            }
        }
        while let next = pending.popLast() {
            for parent in parents[ObjectIdentifier(next)] ?? [] where !parent.reachesRequired {
                parent.reachesRequired = true
                pending.append(parent)
            }
        }
    }

    var fieldsByNumber: [FieldSchema] { fields.sorted { $0.number < $1.number } }

    func field(_ number: UInt32) -> FieldSchema? { fields.first { $0.number == Int(number) } }
}

extension FieldType {
    /// The table of a field's messages; nil for other types.
    public var schema: MessageSchema? {
        switch self {
        case .message(let type), .group(let type): type.schema
        case .dynamic(let reference): reference.schema
        default: nil
        }
    }
}

extension MessageSchema: CustomStringConvertible {
    /// The message's name.
    public var description: String { name }
}
