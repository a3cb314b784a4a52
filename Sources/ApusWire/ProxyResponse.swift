// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The answer of a proxy to CONNECT, read strictly and with bounds. Sans-IO. Source: RFC 9110, section 9.3.6;
/// RFC 9112, sections 2 to 5.
package struct ProxyResponse {
    /// What the bytes so far mean.
    package enum Answer: Equatable {
        /// The head is not complete.
        case more
        /// The tunnel is there; bytes behind the head belong to it.
        case established(rest: [UInt8])
        /// There is no tunnel, and why, in one line.
        case refused(String)
    }

    /// Bytes of the largest head.
    package static let limit = 16 << 10
    // 100 (Continue) and its like may come before.
    private static let maximumInformational = 4

    private var bytes: [UInt8] = []
    // How far the end of the head was looked for.
    private var searched = 0
    private var informational = 0

    package init() {}

    /// Takes bytes as they came. Not after an answer that is not `more`.
    package mutating func receive(_ piece: UnsafeRawBufferPointer) -> Answer {
        bytes.append(contentsOf: piece)
        while let end = endOfHead() {
            let head = bytes[..<end]
            let rest = Array(bytes[(end + 4)...])
            guard let status = Self.status(head) else { return .refused("its answer is not HTTP/1.1") }
            guard (100..<200).contains(status.code), status.code != 101 else {
                // RFC 9110: a length or transfer coding of a successful answer says nothing.
                return (200..<300).contains(status.code) ? .established(rest: rest) : .refused(status.text)
            }
            informational += 1
            guard informational <= Self.maximumInformational else { return .refused("its answer has no end") }
            bytes = rest
            searched = 0
        }
        guard bytes.count <= Self.limit else { return .refused("its answer has a head above \(Self.limit) bytes") }
        return Self.canBegin(bytes) ? .more : .refused("its answer is not HTTP/1.1")
    }

    // The index of the empty line's CR LF CR LF, if it came within the limit.
    private mutating func endOfHead() -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        var index = max(0, searched - 3)
        while index + 4 <= min(bytes.count, Self.limit + 4) {
            if bytes[index..<index + 4].elementsEqual(end) { return index }
            index += 1
        }
        searched = bytes.count
        return nil
    }

    // Something else must not be waited for until the time is over.
    private static func canBegin(_ bytes: [UInt8]) -> Bool {
        zip(bytes, "HTTP/1.".utf8).allSatisfy { $0 == $1 }
    }

    private static func status(_ head: ArraySlice<UInt8>) -> (code: Int, text: String)? {
        let lines = Self.lines(head)
        guard let first = lines.first, lines.dropFirst().allSatisfy(isField) else { return nil }
        // `HTTP/1.1 200 OK`, with or without the reason and the blank in front of it.
        let start = Array(first.prefix(9))
        guard start == Array("HTTP/1.1 ".utf8) || start == Array("HTTP/1.0 ".utf8) else { return nil }
        let digits = first.dropFirst(9).prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }),
            first.count == 12 || first[first.startIndex + 12] == 32
        else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        guard (100..<600).contains(code) else { return nil }
        let reason = first.dropFirst(13).prefix(100)
        guard reason.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return nil }
        let text = reason.isEmpty ? "\(code)" : "\(code) \(String(decoding: reason, as: UTF8.self))"
        return (code, text)
    }

    private static func lines(_ head: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = head.startIndex
        var index = start
        while index + 1 < head.endIndex {
            if head[index] == 13, head[index + 1] == 10 {
                lines.append(head[start..<index])
                start = index + 2
                index = start
            } else {
                index += 1
            }
        }
        return lines + [head[start...]]
    }

    // `name: value`, without blanks around the name, without line folding and without controls.
    private static func isField(_ line: ArraySlice<UInt8>) -> Bool {
        guard let colon = line.firstIndex(of: 58), colon > line.startIndex else { return false }
        return line[..<colon].allSatisfy(isTokenCharacter)
            && line[colon...].allSatisfy { $0 == 9 || ($0 >= 32 && $0 != 127) }
    }

    // RFC 9110, section 5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// What a client asks a proxy for.
package enum ProxyRequest {
    /// The bytes of a CONNECT request.
    ///
    /// - Parameters:
    ///   - authority: host and port, which the proxy resolves: `db.example:443`, `[::1]:443`.
    ///   - credentials: user and password joined by a colon; nil sends none.
    package static func connect(to authority: String, credentials: String?) -> [UInt8] {
        var lines = ["CONNECT \(authority) HTTP/1.1", "Host: \(authority)", "User-Agent: \(RequestFields.userAgent)"]
        if let credentials {
            lines.append("Proxy-Authorization: Basic \(String(decoding: padded(credentials), as: UTF8.self))")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    // RFC 7617 wants the padding.
    private static func padded(_ text: String) -> [UInt8] {
        var encoded = Array(Base64.encode(Array(text.utf8)))
        while encoded.count % 4 != 0 { encoded.append(UInt8(ascii: "=")) }
        return encoded
    }
}
