// SPDX-License-Identifier: Apache-2.0

/// A name in the domain name system: its labels in lower case, as names differ in more than case or not at all.
/// Source: RFC 1035, sections 2.3.1 and 3.1.
struct DomainName: Hashable, Sendable {
    private static let maximumBytes = 255
    private static let maximumLabel = 63

    let labels: [[UInt8]]

    /// The name in a text such as `users.example.`; the last dot may be missing. Nil for what is no name.
    init?(_ text: String) {
        let trimmed = text.hasSuffix(".") ? text.dropLast() : text[...]
        let labels = trimmed.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        self.init(labels: labels.map(Array.init))
        guard !self.labels.isEmpty else { return nil }
    }

    /// Nil for an empty label, one of more than 63 bytes, or more than 255 bytes in all.
    init?(labels: [[UInt8]]) {
        guard labels.allSatisfy({ (1...Self.maximumLabel).contains($0.count) }) else { return nil }
        guard labels.reduce(1, { $0 + $1.count + 1 }) <= Self.maximumBytes else { return nil }
        self.labels = labels.map { $0.map(Self.lowercased) }
    }

    /// The name as it goes over the wire, without compression.
    var bytes: [UInt8] { labels.flatMap { [UInt8(clamping: $0.count)] + $0 } + [0] }

    /// Whether it is `.`: in a record of a service, that there is none.
    var isRoot: Bool { labels.isEmpty }

    /// What a resolver takes; nil for bytes that no host's name has.
    var host: String? {
        let isPlain = labels.allSatisfy { $0.allSatisfy { (0x21...0x7E).contains($0) && !Self.odd.contains($0) } }
        guard isPlain, !isRoot else { return nil }
        return labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    // A dot inside a label, and what divides hosts from ports and paths.
    private static let odd = Array("./:[]%".utf8)

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
    }
}
