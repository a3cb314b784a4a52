// SPDX-License-Identifier: Apache-2.0

import ApusCore

// Required fields are looked for when a message is complete: its pieces may come apart and are merged.
extension MessageSchema {
    /// - Throws: INTERNAL, with the path of the first required field that is missing.
    func checkRequired(_ message: FieldReader) throws(RPCError) {
        guard let path = missingField(message) else { return }
        throw RPCError(
            .internal,
            "malformed \(name).\(path.reversed().joined(separator: ".")): \(Malformed.Reason.required.rawValue)")
    }

    /// The names of the fields around the first that is missing, the innermost first.
    private func missingField(_ message: FieldReader) -> [String]? {
        for (field, word) in zip(fields, words) {
            if case .required = field.shape, !message.isPresent(field, at: word) { return [field.name] }
            guard let child = schema(of: field), child.reachesRequired else { continue }
            for inner in message.children(field, at: word, entries: entries[field.number]) {
                if let path = child.missingField(inner) ?? child.missingInAbsent(inner) { return path + [field.name] }
            }
        }
        return nil
    }
}

extension MessageSchema {
    /// The value that a map's entry does not have is an empty message, and may lack something.
    fileprivate func missingInAbsent(_ entry: FieldReader) -> [String]? {
        guard isEntry, let value = fields[1].type.schema, !entry.isPresent(fields[1], at: words[1]) else { return nil }
        let missing = value.fields.first { if case .required = $0.shape { true } else { false } }
        return missing.map { [$0.name, fields[1].name] }
    }
}

extension FieldReader {
    /// Whether a field outside of lists is set; fields without presence are when they are not empty or zero.
    func isPresent(_ field: FieldSchema, at word: Int) -> Bool {
        let byte = word * 8
        return switch field.place {
        case .narrow: flag(byte + 4)
        case .wide: flag(byte + 8)
        case .data, .list: load(byte, as: Int.self) != 0
        case .presentData: flag(byte + 16)
        case .message: load(byte, as: UnsafeRawPointer?.self) != nil
        case .oneof: oneof(at: word) == UInt32(field.number)
        }
    }

    /// The messages in a field: none, one, or those of a list or map. Of a map's entries with one key only the last is.
    func children(_ field: FieldSchema, at word: Int, entries: MessageSchema?) -> [FieldReader] {
        guard isPresent(field, at: word) else { return [] }
        guard field.place == .list else {
            return load(word * 8, as: UnsafeRawPointer?.self).map { [FieldReader($0)] } ?? []
        }
        let children = list(at: word, of: UnsafeRawPointer.self) { FieldReader($0) }
        guard let entries else { return children }
        var keys: Set<FieldValue?> = []
        return children.reversed().filter {
            keys.insert($0.single(entries.fields[0].type, at: entries.words[0])).inserted
        }
    }
}
