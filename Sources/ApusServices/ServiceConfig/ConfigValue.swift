// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What is wrong with a document, and at which value.
struct ConfigProblem: Error, CustomStringConvertible {
    let text: String
    let path: [String]

    var description: String { text }
}

/// A JSON value with the way to it, read as proto3's JSON mapping says. Of a member that is missing or null there is
/// no value.
struct ConfigValue {
    let json: JSON
    let path: [String]

    func problem(_ text: String) -> ConfigProblem {
        ConfigProblem(text: path.isEmpty ? "the document \(text)" : "\(name) \(text)", path: path)
    }

    private var name: String {
        path.reduce("") { Int($1) == nil ? ($0.isEmpty ? $1 : "\($0).\($1)") : "\($0)[\($1)]" }
    }

    func member(_ name: String) throws(ConfigProblem) -> ConfigValue? {
        guard case .object(let members) = json else { throw problem("is no object") }
        guard let value = members[name], value != .null else { return nil }
        return ConfigValue(json: value, path: path + [name])
    }

    func required(_ name: String) throws(ConfigProblem) -> ConfigValue {
        guard let value = try member(name) else { throw problem("has no '\(name)'") }
        return value
    }

    func elements() throws(ConfigProblem) -> [ConfigValue] {
        guard case .array(let elements) = json else { throw problem("is no array") }
        return elements.enumerated().map { ConfigValue(json: $1, path: path + [String($0)]) }
    }

    func bool() throws(ConfigProblem) -> Bool {
        guard case .bool(let flag) = json else { throw problem("is neither true nor false") }
        return flag
    }

    func string() throws(ConfigProblem) -> String {
        guard case .string(let text) = json else { throw problem("is no string") }
        return text
    }

    /// A number, or one in a string.
    func number() throws(ConfigProblem) -> Double {
        switch json {
        case .number(let number): return number
        case .string(let text):
            if let number = Double(text), number.isFinite { return number }
        default: break
        }
        throw problem("is no number")
    }

    func integer(in range: ClosedRange<Int>) throws(ConfigProblem) -> Int {
        guard let integer = Int(exactly: try number()) else { throw problem("is no whole number") }
        guard range.contains(integer) else {
            throw problem("is \(integer) and must be in \(range.lowerBound)...\(range.upperBound)")
        }
        return integer
    }

    /// A duration that is longer than zero, or at least not negative.
    func duration(orZero: Bool = false) throws(ConfigProblem) -> Duration {
        guard case .string(let text) = json, let duration = ProtoDuration.read(text) else {
            throw problem("is no duration such as \"1.5s\"")
        }
        guard duration > .zero || orZero && duration == .zero else {
            throw problem(orZero ? "must not be negative" : "must be longer than zero")
        }
        return duration
    }

    /// Status codes, each by its name in any case or by its number.
    func codes() throws(ConfigProblem) -> Set<Status.Code> {
        var codes: Set<Status.Code> = []
        for element in try elements() { codes.insert(try element.code()) }
        return codes
    }

    private func code() throws(ConfigProblem) -> Status.Code {
        switch json {
        case .string(let text):
            if let code = Status.Code.allCases.first(where: { $0.name == text.uppercased() }) { return code }
        case .number(let number):
            if let code = Int(exactly: number).flatMap(Status.Code.init) { return code }
        default: break
        }
        throw problem("is no status code")
    }
}

/// The text of a `google.protobuf.Duration` in JSON: seconds, at most nine digits of a fraction, and an s.
enum ProtoDuration {
    // The type's own limit, about 10,000 years.
    private static let maximumSeconds: Int64 = 315_576_000_000

    static func read(_ text: String) -> Duration? {
        guard text.utf8.last == UInt8(ascii: "s") else { return nil }
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let parts = text.dropLast().dropFirst(isNegative ? 1 : 0)
            .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, isDigits(first), let seconds = Int64(first), seconds <= maximumSeconds else {
            return nil
        }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            guard isDigits(parts[1]), parts[1].utf8.count <= 9 else { return nil }
            let padded = parts[1] + String(repeating: "0", count: 9 - parts[1].utf8.count)
            nanoseconds = Int64(padded) ?? 0
        }
        let duration = Duration.seconds(seconds) + .nanoseconds(nanoseconds)
        return isNegative ? .zero - duration : duration
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
