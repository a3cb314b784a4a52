// SPDX-License-Identifier: Apache-2.0

/// What JSON text says. Numbers keep their digits: 64 bits of a protobuf number do not fit JSON's usual doubles.
indirect enum JSONValue: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        let name: String
        let value: JSONValue
    }

    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    /// In the order of the text; a name may come twice.
    case object([Member])
}

/// Why JSON is no such message, or a message cannot be JSON, and where.
struct JSONFailure: Error {
    let reason: String
    /// The names around the place, the innermost first.
    var path: [String] = []

    init(_ reason: String) { self.reason = reason }

    func inside(_ name: String) -> JSONFailure {
        var copy = self
        copy.path.append(name)
        return copy
    }
}
