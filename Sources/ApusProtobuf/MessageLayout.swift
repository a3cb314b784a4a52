// SPDX-License-Identifier: Apache-2.0

/// The place that a field takes in the C struct of its message, counted in words of eight bytes.
///
/// Generated code addresses fields by these words, so the rule is part of its contract with the runtime:
/// the header of protobuf-c takes three words; fields follow in the order of the table, each with the words that
/// its kind needs; the members of a `oneof` share the place of the first. Pointers take one word.
package enum FieldPlace: Equatable {
    /// A 32-bit scalar: value, then flag, in one word.
    case narrow
    /// A 64-bit scalar: a word for the value, a word for the flag.
    case wide
    /// A string or bytes whose absence is the empty value: length and pointer.
    case data
    /// A string or bytes with presence: length, pointer, flag.
    case presentData
    /// A message: a pointer.
    case message
    /// A repeated field or map: count and pointer.
    case list
    /// A `oneof`: two words for the value, one for the number of the field that is set.
    case oneof(Int)

    /// Words taken.
    var words: Int {
        switch self {
        case .narrow, .message: 1
        case .wide, .data, .list: 2
        case .presentData, .oneof: 3
        }
    }

    /// Words of `ProtobufCMessage`: descriptor, number of unknown fields, pointer to them.
    package static let headerWords = 3

    /// The first word of each field, and the words of the whole struct.
    package static func layout(_ places: [FieldPlace]) -> (words: [Int], total: Int) {
        var next = headerWords
        var oneofs: [Int: Int] = [:]
        let words = places.map { place -> Int in
            if case .oneof(let index) = place, let word = oneofs[index] { return word }
            let word = next
            next += place.words
            if case .oneof(let index) = place { oneofs[index] = word }
            return word
        }
        return (words, next)
    }
}

extension FieldSchema {
    var place: FieldPlace {
        switch shape {
        case .repeated, .packed, .map: .list
        case .oneof(let index): .oneof(index)
        case .implicit: type.isData ? .data : singularPlace
        case .optional, .required: type.isData ? .presentData : singularPlace
        }
    }

    private var singularPlace: FieldPlace {
        if type.isMessage { return .message }
        return type.isWide ? .wide : .narrow
    }
}

extension FieldType {
    /// Whether values are a length and a pointer.
    var isData: Bool {
        switch self {
        case .string, .bytes: true
        default: false
        }
    }

    /// Whether values are messages, groups among them.
    var isMessage: Bool {
        switch self {
        case .message, .group, .dynamic: true
        default: false
        }
    }

    /// Whether values are 64-bit numbers.
    var isWide: Bool {
        switch self {
        case .double, .int64, .uint64, .sint64, .fixed64, .sfixed64: true
        default: false
        }
    }
}
