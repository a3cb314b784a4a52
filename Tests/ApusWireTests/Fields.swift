// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

/// A header block as a list of texts: what a sink was given, and what a head is fed with.
struct Fields: FieldSink, Equatable, ExpressibleByDictionaryLiteral {
    struct Field: Equatable {
        var name: String
        var value: String
    }

    var all: [Field] = []

    init() {}
    init(dictionaryLiteral pairs: (String, String)...) { all = pairs.map { Field(name: $0.0, value: $0.1) } }

    subscript(name: String) -> String? { all.first { $0.name == name }?.value }
    var names: [String] { all.map(\.name) }

    mutating func add(_ name: StaticString, _ value: StaticString) {
        all.append(Field(name: "\(name)", value: "\(value)"))
    }

    mutating func add(_ name: StaticString, _ value: some Collection<UInt8>) {
        all.append(Field(name: "\(name)", value: String(decoding: value, as: UTF8.self)))
    }

    mutating func add(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        all.append(Field(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self)))
    }
}

extension String {
    /// The text's bytes as the wire gives them.
    func onWire<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try Array(utf8).withUnsafeBytes(body)
    }
}

extension Metadata {
    init(_ pairs: Fields) {
        self.init()
        for pair in pairs.all { add(pair.name, pair.value) }
    }
}
