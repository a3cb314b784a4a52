// SPDX-License-Identifier: Apache-2.0

/// The head of an HTTP/1.1 request, as far as the admin page needs it. Source: RFC 9112.
package struct RequestHead: Sendable, Equatable {
    /// `GET`, say.
    package var method: String
    /// What stands in front of the question mark.
    package var path: String
    /// The fields; their names in small letters, the values of one name joined by commas.
    package var fields: [String: String]

    package init(method: String, path: String, fields: [String: String]) {
        self.method = method
        self.path = path
        self.fields = fields
    }
}

/// Reads the head of one request, strictly and bounded; sans-IO. Requests have no content here, and one request comes
/// over a connection.
package struct RequestReader: Sendable {
    /// What the bytes so far are.
    package enum Outcome: Sendable, Equatable {
        /// The head goes on.
        case more
        /// All of it is there.
        case request(RequestHead)
        /// It is none, or none that is wanted: the status to answer with.
        case refused(AdminStatus)
    }

    /// The longest head, in bytes.
    package static let maximumBytes = 8 << 10
    /// The most fields.
    package static let maximumFields = 64

    private var bytes: [UInt8] = []

    package init() {}

    /// Takes the next bytes.
    package mutating func receive(_ more: some Collection<UInt8>) -> Outcome {
        let seen = max(0, bytes.count - 3)
        bytes.append(contentsOf: more.prefix(Self.maximumBytes + 1 - bytes.count))
        guard let end = Self.end(of: bytes, from: seen) else {
            return bytes.count > Self.maximumBytes ? .refused(.headTooLarge) : .more
        }
        return Self.read(bytes[..<end])
    }

    // Where the empty line begins: CR LF CR LF.
    private static func end(of bytes: [UInt8], from start: Int) -> Int? {
        // Not a range of both ends: the end lies before the start when nothing has come.
        stride(from: start, through: bytes.count - 4, by: 1).first { bytes[$0...].starts(with: [13, 10, 13, 10]) }
    }

    private static func read(_ head: ArraySlice<UInt8>) -> Outcome {
        // Text that people can read, tabs, and line ends that are whole.
        let isText = head.allSatisfy { $0 == 9 || $0 == 10 || $0 == 13 || (0x20...0x7e).contains($0) }
        guard isText else { return .refused(.badRequest) }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let first = lines.first, lines.allSatisfy({ !$0.utf8.contains(13) && !$0.utf8.contains(10) }) else {
            return .refused(.badRequest)
        }
        guard lines.count - 1 <= maximumFields else { return .refused(.headTooLarge) }
        let words = first.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(words[0]), words[1].hasPrefix("/"), !words[1].utf8.contains(9) else {
            return .refused(.badRequest)
        }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else { return .refused(.versionNotSupported) }
        guard let fields = fields(lines.dropFirst()) else { return .refused(.badRequest) }
        return checked(RequestHead(method: String(words[0]), path: path(words[1]), fields: fields))
    }

    private static func path(_ target: Substring) -> String { String(target.prefix { $0 != "?" }) }

    private static func fields(_ lines: ArraySlice<Substring>) -> [String: String]? {
        var fields: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), isToken(line[..<colon]) else { return nil }
            let name = line[..<colon].lowercased()
            let value = trimmed(line[line.index(after: colon)...])
            // Two hosts are two opinions: RFC 9112, section 3.2.
            guard let old = fields[name] else {
                fields[name] = value
                continue
            }
            guard name != "host", name != "authorization" else { return nil }
            fields[name] = "\(old), \(value)"
        }
        return fields
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || marks.contains($0)
            }
    }

    private static let marks = Set("!#$%&'*+-.^_`|~".utf8)

    // A content that nobody reads would be taken for the next request by somebody in between.
    private static func checked(_ head: RequestHead) -> Outcome {
        guard head.fields["transfer-encoding"] == nil, head.fields["content-length"] ?? "0" == "0" else {
            return .refused(.contentTooLarge)
        }
        return .request(head)
    }
}
