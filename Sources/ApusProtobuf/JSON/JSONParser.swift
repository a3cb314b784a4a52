// SPDX-License-Identifier: Apache-2.0

/// Reads JSON text, strictly. Source: RFC 8259.
struct JSONParser {
    private let text: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var depth: Int

    /// The value that is all of the text.
    static func parse(_ text: [UInt8], maximumDepth: Int) throws(JSONFailure) -> JSONValue {
        try text.withUnsafeBufferPointer { (buffer) throws(JSONFailure) in
            if let start = buffer.baseAddress, !isUTF8(start, start + buffer.count) {
                throw JSONFailure("the text is not UTF-8")
            }
            var parser = JSONParser(text: buffer, depth: maximumDepth)
            let value = try parser.value()
            parser.skipSpace()
            guard parser.at == buffer.count else { throw parser.failure("there is more behind the end") }
            return value
        }
    }

    private init(text: UnsafeBufferPointer<UInt8>, depth: Int) {
        self.text = text
        self.depth = depth
    }

    private func failure(_ reason: String) -> JSONFailure { JSONFailure("\(reason), at byte \(at)") }

    private var next: UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
    }

    /// Skips space and takes the byte if it comes next.
    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    private mutating func value() throws(JSONFailure) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONFailure) in .object(try parser.members()) }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONFailure) in .array(try parser.elements()) }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw failure("the text ends where a value should be")
        default: return .number(try number())
        }
    }

    private mutating func nested(
        _ read: (inout JSONParser) throws(JSONFailure) -> JSONValue
    ) throws(JSONFailure) -> JSONValue {
        guard depth > 0 else { throw failure("values are nested too deep") }
        depth -= 1
        at += 1
        let value = try read(&self)
        depth += 1
        return value
    }

    private mutating func members() throws(JSONFailure) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if take("}") { return members }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes is missing") }
            let name = try string()
            guard take(":") else { throw failure("a colon is missing") }
            members.append(JSONValue.Member(name: name, value: try value()))
        } while take(",")
        guard take("}") else { throw failure("a comma or closing brace is missing") }
        return members
    }

    private mutating func elements() throws(JSONFailure) -> [JSONValue] {
        var elements: [JSONValue] = []
        if take("]") { return elements }
        repeat { elements.append(try value()) } while take(",")
        guard take("]") else { throw failure("a comma or closing bracket is missing") }
        return elements
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard text.count - at >= count, (0..<count).allSatisfy({ text[at + $0] == word.utf8Start[$0] }) else {
            throw failure("this is no value")
        }
        at += count
        return value
    }

    private mutating func number() throws(JSONFailure) -> String {
        guard let end = JSONNumber.end(of: text, from: at) else { throw failure("this is no value") }
        defer { at = end }
        return String(decoding: text[at..<end], as: UTF8.self)
    }

    private mutating func string() throws(JSONFailure) -> String {
        at += 1
        let start = at
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { at += 1 }
        var bytes = Array(text[start..<at])
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case 0..<0x20: throw failure("text has a control character that is not escaped")
            default: bytes.append(byte)
            }
        }
        throw failure("text has no end")
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSONFailure) {
        guard let byte = next else { throw failure("text has no end") }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): bytes += Array(String(Character(try unicode())).utf8)
        default: throw failure("text has an escape that does not exist")
        }
    }

    /// One or, for characters beyond the 16 bits of an escape, two of them.
    private mutating func unicode() throws(JSONFailure) -> Unicode.Scalar {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800...0xDBFF).contains(first), next == UInt8(ascii: "\\") else { throw halfPair() }
        at += 1
        guard next == UInt8(ascii: "u") else { throw halfPair() }
        at += 1
        let second = try fourDigits()
        guard (0xDC00...0xDFFF).contains(second) else { throw halfPair() }
        guard let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) else {
            throw halfPair()
        }
        return scalar
    }

    private func halfPair() -> JSONFailure { failure("text has half of a surrogate pair") }

    private mutating func fourDigits() throws(JSONFailure) -> UInt32 {
        guard text.count - at >= 4 else { throw failure("text has no end") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(text[at])).hexDigitValue, text[at] < 0x80 else {
                throw failure("an escape has something else than four digits")
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }
}
