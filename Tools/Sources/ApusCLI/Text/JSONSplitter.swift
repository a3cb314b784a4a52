// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into JSON values that follow one another, with or without blanks between them.
struct JSONSplitter {
    /// The largest value that is taken, in bytes.
    static let maximumBytes = 256 << 20

    private var value: [UInt8] = []
    private var depth = 0
    private var isText = false
    private var isEscaped = false

    /// The values that are whole with these bytes. What is no JSON is found out by who reads them.
    mutating func add(_ bytes: some Sequence<UInt8>) throws(Mistake) -> [[UInt8]] {
        var values: [[UInt8]] = []
        for byte in bytes {
            guard let whole = add(byte) else { continue }
            values.append(whole)
        }
        guard value.count <= Self.maximumBytes else {
            throw Mistake("a JSON message of more than \(Self.maximumBytes >> 20) MiB")
        }
        return values
    }

    /// The last value; nil when nothing is left.
    mutating func finish() throws(Mistake) -> [UInt8]? {
        guard !value.isEmpty else { return nil }
        guard depth == 0, !isText else { throw Mistake("the last JSON message is not finished: a bracket is missing") }
        return take()
    }

    private mutating func add(_ byte: UInt8) -> [UInt8]? {
        if isText {
            addText(byte)
            return depth == 0 && !isText ? take() : nil
        }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            if depth == 0 { return value.isEmpty ? nil : take() }
            value.append(byte)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            // What stands in front of it without a bracket is a value of its own.
            let before = depth == 0 && !value.isEmpty ? take() : nil
            value.append(byte)
            depth += 1
            return before
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            value.append(byte)
            depth = max(0, depth - 1)
            return depth == 0 ? take() : nil
        default:
            value.append(byte)
            isText = byte == UInt8(ascii: "\"")
        }
        return nil
    }

    private mutating func addText(_ byte: UInt8) {
        value.append(byte)
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isText = false
        }
    }

    private mutating func take() -> [UInt8] {
        defer { value = [] }
        return value
    }
}
