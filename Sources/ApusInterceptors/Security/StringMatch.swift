// SPDX-License-Identifier: Apache-2.0

/// What a text has to be: the same, or with a `*` at an end to begin or end alike; `*` alone is any text that is not
/// empty. Source: gRFC A43.
public struct StringMatch: Sendable, Hashable {
    private enum Kind: Hashable {
        case exact(String)
        case prefix(String)
        case suffix(String)
        case presence
    }

    private let kind: Kind

    /// `/users.Users/Login`, `/users.Users/*`, `*.example.org` or `*`.
    public init(_ pattern: String) {
        if pattern == "*" {
            kind = .presence
        } else if pattern.hasSuffix("*") {
            kind = .prefix(String(pattern.dropLast()))
        } else if pattern.hasPrefix("*") {
            kind = .suffix(String(pattern.dropFirst()))
        } else {
            kind = .exact(pattern)
        }
    }

    /// Whether the text is such a one. Bytes are compared: no two spellings of a text are one.
    public func matches(_ text: String) -> Bool {
        switch kind {
        case .exact(let all): text.utf8.elementsEqual(all.utf8)
        case .prefix(let start): text.utf8.starts(with: start.utf8)
        case .suffix(let end): text.utf8.reversed().starts(with: end.utf8.reversed())
        case .presence: !text.isEmpty
        }
    }
}

extension StringMatch: ExpressibleByStringLiteral {
    /// As ``init(_:)``.
    public init(stringLiteral pattern: String) { self.init(pattern) }
}

extension StringMatch: CustomStringConvertible {
    /// The pattern.
    public var description: String {
        switch kind {
        case .exact(let all): all
        case .prefix(let start): start + "*"
        case .suffix(let end): "*" + end
        case .presence: "*"
        }
    }
}
