// SPDX-License-Identifier: Apache-2.0

/// The key-value pairs that travel with a call: an ordered list in which a key may occur several times.
///
/// Keys are lower case: `0-9 a-z _ - .`; a key that ends in `-bin` has a binary value, every other an ASCII one.
/// Source: gRPC over HTTP/2, *Custom-Metadata*.
public struct Metadata: Sendable, Hashable {
    /// A value: ASCII text, or bytes for `-bin` keys.
    public enum Content: Sendable, Hashable {
        /// Printable ASCII (%x20–7E).
        case ascii(String)
        /// Any bytes; base64 on the wire.
        case binary([UInt8])
    }

    /// One pair.
    public struct Entry: Sendable, Hashable {
        /// The lower-case key.
        public let key: String
        /// The value.
        public let value: Content

        package init(key: String, value: Content) {
            self.key = key
            self.value = value
        }
    }

    /// All pairs in order.
    public private(set) var entries: [Entry]

    /// No pairs.
    public init() { entries = [] }

    /// Whether there are no pairs.
    public var isEmpty: Bool { entries.isEmpty }

    /// Appends an ASCII value, keeping what the key already has. The key is lower-cased.
    public mutating func add(_ key: String, _ value: String) {
        entries.append(Entry(key: Self.lowercased(key), value: .ascii(value)))
    }

    /// Appends a binary value, keeping what the key already has. The key is lower-cased and should end in `-bin`.
    public mutating func add(_ key: String, binary value: [UInt8]) {
        entries.append(Entry(key: Self.lowercased(key), value: .binary(value)))
    }

    /// Appends pairs whose keys are known to be in lower case.
    package mutating func append(_ pairs: Entry...) { entries.append(contentsOf: pairs) }

    /// Appends all pairs of `other`.
    public mutating func add(contentsOf other: Metadata) {
        entries.append(contentsOf: other.entries)
    }

    /// Removes every value of the key.
    public mutating func remove(_ key: String) {
        let key = Self.lowercased(key)
        entries.removeAll { $0.key == key }
    }

    /// The first ASCII value of the key. Setting replaces every value that the key has; nil removes them.
    public subscript(key: String) -> String? {
        get {
            let key = Self.lowercased(key)
            for entry in entries where entry.key == key {
                if case .ascii(let text) = entry.value { return text }
            }
            return nil
        }
        set {
            remove(key)
            if let newValue { add(key, newValue) }
        }
    }

    /// The first binary value of the key. Setting replaces every value that the key has; nil removes them.
    public subscript(binary key: String) -> [UInt8]? {
        get { self.binaryValues(of: key).first }
        set {
            remove(key)
            if let newValue { add(key, binary: newValue) }
        }
    }

    /// Every ASCII value of the key, in order.
    public func values(of key: String) -> [String] {
        let key = Self.lowercased(key)
        return entries.compactMap { entry in
            guard entry.key == key, case .ascii(let text) = entry.value else { return nil }
            return text
        }
    }

    /// Every binary value of the key, in order.
    public func binaryValues(of key: String) -> [[UInt8]] {
        let key = Self.lowercased(key)
        return entries.compactMap { entry in
            guard entry.key == key, case .binary(let bytes) = entry.value else { return nil }
            return bytes
        }
    }

    // The common key is lower case already: look before making another string.
    private static func lowercased(_ key: String) -> String {
        // Mostly its bytes lie in one place: then the search is several times as fast.
        let isMixed = key.utf8.withContiguousStorageIfAvailable { $0.contains(where: isCapital) }
        return isMixed ?? key.utf8.contains(where: isCapital) ? key.lowercased() : key
    }

    private static func isCapital(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    /// `["x-request-id": "7"]`, in the order written; keys may repeat.
    public init(dictionaryLiteral pairs: (String, String)...) {
        self.init()
        for (key, value) in pairs { add(key, value) }
    }
}

extension Metadata: CustomStringConvertible {
    /// Keys and ASCII values; binary values by their size.
    public var description: String {
        let pairs = entries.map { entry in
            switch entry.value {
            case .ascii(let text): "\(entry.key): \(text)"
            case .binary(let bytes): "\(entry.key): \(bytes.count) bytes"
            }
        }
        return "[\(pairs.joined(separator: ", "))]"
    }
}
