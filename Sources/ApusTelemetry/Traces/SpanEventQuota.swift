// SPDX-License-Identifier: Apache-2.0

/// How many events a span takes: a stream of a million messages may not become a span of a million events.
package struct SpanEventQuota: Sendable {
    /// What an event tells of.
    package enum Kind: Sendable {
        /// One message of perhaps very many.
        case message
        /// A pick, a retry and the like.
        case other
    }

    /// The limit that tracers usually have; who goes above it would lose the last events without a word.
    package static let limit = 128
    // The rest is for what says more than one message of many.
    private static let limitOfMessages = 96

    private var messages = 0
    private var others = 0
    /// Events that were not taken.
    package private(set) var leftOut = 0

    package init() {}

    /// Asks for an event.
    package mutating func admit(_ kind: Kind) -> Bool {
        guard messages + others < Self.limit, kind == .other || messages < Self.limitOfMessages else {
            leftOut += 1
            return false
        }
        if kind == .message { messages += 1 } else { others += 1 }
        return true
    }
}
