// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Reads the header with which a proxy tells whose connection it passes on, version 1 (a line of text) or 2 (binary),
/// as its bytes arrive. Source: HAProxy's document *The PROXY protocol*.
package struct ProxyHeader {
    package enum Verdict: Equatable, Sendable {
        case needsMore
        /// The header is complete. Without a source, the connection is the proxy's own, or of a kind that it cannot
        /// name: then the socket's address holds.
        case complete(source: Endpoint.Address?)
        /// The text is for people.
        case malformed(String)
    }

    /// The longest header of version 1, with its line's end.
    package static let longestLine = 107
    /// The longest header of version 2, with what stands behind the addresses. Proxies that pass certificates on need
    /// a few hundred bytes.
    package static let longestBinary = 4096

    private var bytes: [UInt8] = []

    package init() {}

    /// Takes what belongs to the header from the front of `input`, and leaves what the client sent.
    package mutating func receive(_ input: inout UnsafeRawBufferPointer) -> Verdict {
        while let byte = input.first {
            input = UnsafeRawBufferPointer(rebasing: input.dropFirst())
            bytes.append(byte)
            let verdict = look(byte)
            if verdict != .needsMore { return verdict }
        }
        return .needsMore
    }

    private func look(_ last: UInt8) -> Verdict {
        let signature = bytes[0] == BinaryHeader.signature[0] ? BinaryHeader.signature : Self.lineStart
        let index = bytes.count - 1
        if index < signature.count {
            return last == signature[index] ? .needsMore : .malformed("the connection begins without a PROXY header")
        }
        return signature.count == Self.lineStart.count ? lookAtLine(last) : lookAtBinary()
    }

    // MARK: Version 1

    private static let lineStart = Array("PROXY ".utf8)

    private func lookAtLine(_ last: UInt8) -> Verdict {
        guard last == UInt8(ascii: "\n") else {
            return bytes.count < Self.longestLine
                ? .needsMore : .malformed("the PROXY header is longer than \(Self.longestLine) bytes")
        }
        guard bytes[bytes.count - 2] == UInt8(ascii: "\r") else { return Self.badLine }
        let line = String(decoding: bytes[Self.lineStart.count..<bytes.count - 2], as: UTF8.self)
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        // Whatever follows is to be ignored.
        if words[0] == "UNKNOWN" { return .complete(source: nil) }
        guard words.count == 5, words[0] == "TCP4" || words[0] == "TCP6",
            let source = Self.address(words[1], words[3], isIPv6: words[0] == "TCP6"),
            Self.address(words[2], words[4], isIPv6: words[0] == "TCP6") != nil
        else { return Self.badLine }
        return .complete(source: source)
    }

    private static let badLine = Verdict.malformed("the PROXY header's line is malformed")

    private static func address(_ host: Substring, _ port: Substring, isIPv6: Bool) -> Endpoint.Address? {
        guard host.contains(":") == isIPv6, !host.contains("%"), let number = UInt16(port), "\(number)" == port else {
            return nil
        }
        return SocketAddress(host: String(host), port: Int(number))?.address
    }

    // MARK: Version 2

    private func lookAtBinary() -> Verdict {
        guard bytes.count >= BinaryHeader.fixedSize else { return .needsMore }
        let header = BinaryHeader(bytes)
        guard header.size <= Self.longestBinary else {
            return .malformed("the PROXY header is longer than \(Self.longestBinary) bytes")
        }
        if bytes.count == BinaryHeader.fixedSize, let problem = header.problem { return .malformed(problem) }
        guard bytes.count >= header.size else { return .needsMore }
        return .complete(source: header.source(bytes))
    }
}

/// The fixed part of a header of version 2.
private struct BinaryHeader {
    static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
    static let fixedSize = 16

    private enum Family: UInt8 {
        case unspecified, ipv4, ipv6, unix

        /// Bytes of one address, without the ports.
        var addressSize: Int {
            switch self {
            case .unspecified: 0
            case .ipv4: 4
            case .ipv6: 16
            case .unix: 108
            }
        }

        /// Bytes of both addresses and the ports.
        var size: Int { 2 * addressSize + (self == .ipv4 || self == .ipv6 ? 4 : 0) }
    }

    private let version: UInt8
    private let command: UInt8
    private let family: Family?
    private let isStream: Bool
    /// All bytes of the header.
    let size: Int

    /// - Parameter bytes: at least the fixed part.
    init(_ bytes: [UInt8]) {
        version = bytes[12] >> 4
        command = bytes[12] & 15
        family = Family(rawValue: bytes[13] >> 4)
        // Or not said, which only a family that is not said may.
        isStream = bytes[13] & 15 == 1 || bytes[13] == 0
        size = Self.fixedSize + Int(bytes[14]) << 8 + Int(bytes[15])
    }

    private var isOfProxy: Bool { command == 0 }

    /// Why the header cannot be used.
    var problem: String? {
        guard version == 2, command <= 1 else { return "the PROXY header has an unknown version or command" }
        // What the proxy says of a connection of its own is to be skipped.
        guard !isOfProxy else { return nil }
        guard let family, isStream else { return "the PROXY header names no stream connection" }
        return size < Self.fixedSize + family.size ? "the PROXY header is too short for its addresses" : nil
    }

    /// The client's address, from the whole header.
    func source(_ bytes: [UInt8]) -> Endpoint.Address? {
        guard !isOfProxy, let family, family != .unspecified else { return nil }
        let address = Array(bytes[Self.fixedSize..<Self.fixedSize + family.addressSize])
        guard family != .unix else {
            return .unix(path: String(decoding: address.prefix { $0 != 0 }, as: UTF8.self))
        }
        // Behind both addresses.
        let offset = Self.fixedSize + 2 * family.addressSize
        return SocketAddress(ip: address, port: Int(bytes[offset]) << 8 + Int(bytes[offset + 1]))?.address
    }
}
