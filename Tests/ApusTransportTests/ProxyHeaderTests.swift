// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusTransport

/// Headers of the PROXY protocol as proxies write them, and as nobody should.
enum ProxyBytes {
    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    static func line(_ text: String) -> [UInt8] { Array("PROXY \(text)\r\n".utf8) }

    /// A header of version 2.
    static func binary(
        _ addresses: [UInt8], family: UInt8, command: UInt8 = 0x21, extensions: [UInt8] = [], size: Int? = nil
    ) -> [UInt8] {
        let size = size ?? addresses.count + extensions.count
        return signature + [command, family, UInt8(size >> 8), UInt8(size & 255)] + addresses + extensions
    }

    static let ipv4: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0x01, 0xbb]
    static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [9]
        + [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1] + [0xff, 0xff, 0x01, 0xbb]
    static let unix: [UInt8] =
        Array("/run/client".utf8) + [UInt8](repeating: 0, count: 97) + [UInt8](repeating: 0, count: 108)
    /// PP2_TYPE_CRC32C, PP2_TYPE_NOOP and an unknown one.
    static let extensions: [UInt8] = [0x03, 0, 4, 1, 2, 3, 4, 0x04, 0, 2, 0, 0, 0xe5, 0, 1, 255]
}

@Suite struct ProxyHeaderTests {
    typealias Verdict = ProxyHeader.Verdict

    /// What is left over is what the client sent.
    private func read(_ bytes: [UInt8], _ header: inout ProxyHeader) -> (verdict: Verdict, rest: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var input = bytes
            let verdict = header.receive(&input)
            return (verdict, Array(input))
        }
    }

    /// Feeds bytes in pieces.
    private func read(_ bytes: [UInt8], step: Int = .max) -> (verdict: Verdict, rest: [UInt8]) {
        var header = ProxyHeader()
        var left = bytes[...]
        while !left.isEmpty {
            let (verdict, rest) = read(Array(left.prefix(step)), &header)
            left = left.dropFirst(step)
            if verdict != .needsMore { return (verdict, rest + left) }
        }
        return (.needsMore, [])
    }

    static let headers: [(bytes: [UInt8], source: Endpoint.Address?)] = [
        (ProxyBytes.line("TCP4 192.0.2.7 198.51.100.1 12345 443"), .host("192.0.2.7", port: 12345)),
        (ProxyBytes.line("TCP4 255.255.255.255 255.255.255.255 65535 65535"), .host("255.255.255.255", port: 65535)),
        (ProxyBytes.line("TCP6 2001:db8::9 2001:db8::1 0 443"), .host("2001:db8::9", port: 0)),
        (ProxyBytes.line("UNKNOWN"), nil),
        (ProxyBytes.line("UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535"), nil),
        (ProxyBytes.binary(ProxyBytes.ipv4, family: 0x11), .host("192.0.2.7", port: 12345)),
        (
            ProxyBytes.binary(ProxyBytes.ipv4, family: 0x11, extensions: ProxyBytes.extensions),
            .host("192.0.2.7", port: 12345)
        ),
        (ProxyBytes.binary(ProxyBytes.ipv6, family: 0x21), .host("2001:db8::9", port: 65535)),
        (ProxyBytes.binary(ProxyBytes.unix, family: 0x31), .unix(path: "/run/client")),
        (ProxyBytes.binary([], family: 0), nil),
        (ProxyBytes.binary([], family: 0, extensions: ProxyBytes.extensions), nil),
        // LOCAL: the proxy's own connection, whatever addresses it writes.
        (ProxyBytes.binary([], family: 0, command: 0x20), nil),
        (ProxyBytes.binary(ProxyBytes.ipv4, family: 0x11, command: 0x20), nil),
        (ProxyBytes.binary([], family: 0, extensions: [UInt8](repeating: 4, count: 500)), nil),
    ]

    @Test func `every header is read, wherever it is split, and what follows is the client's`() {
        for (bytes, source) in Self.headers {
            for split in 0...bytes.count {
                var header = ProxyHeader()
                let (first, left) = read(Array(bytes.prefix(split)), &header)
                #expect(first == (split < bytes.count ? .needsMore : .complete(source: source)) && left.isEmpty)
                guard split < bytes.count else { continue }
                let (verdict, rest) = read(bytes.dropFirst(split) + [1, 2, 3], &header)
                #expect(verdict == .complete(source: source) && rest == [1, 2, 3])
            }
            #expect(read(bytes + [1, 2, 3], step: 1).verdict == .complete(source: source))
        }
    }

    @Test(arguments: [
        "TCP4 192.0.2.7 198.51.100.1 12345", "TCP4 192.0.2.7 198.51.100.1 12345 443 1", "TCP4  192.0.2.7 1.1.1.1 1 2",
        "TCP4 192.0.2.7 198.51.100.1 12345 65536", "TCP4 192.0.2.7 198.51.100.1 +1 443",
        "TCP4 192.0.2.7 198.51.100.1 01 443", "TCP4 192.0.2.256 198.51.100.1 1 2", "TCP4 2001:db8::9 2001:db8::1 1 2",
        "TCP6 192.0.2.7 198.51.100.1 1 2", "TCP6 fe80::1%eth0 fe80::2 1 2", "TCP4 host 198.51.100.1 1 2",
        "TCP5 a b 1 2",
        "UDP4 192.0.2.7 198.51.100.1 1 2", "", "tcp4 192.0.2.7 198.51.100.1 1 2", "UNKNOWNX",
    ])
    func `a line that says something else is malformed`(_ text: String) {
        #expect(read(ProxyBytes.line(text), step: 1).verdict == .malformed("the PROXY header's line is malformed"))
    }

    @Test func `a line's length ends at 107 bytes`() {
        let longest = ProxyBytes.line("UNKNOWN" + String(repeating: " ", count: 92))
        #expect(longest.count == 107 && read(longest).verdict == .complete(source: nil))
        let longer = ProxyBytes.line("UNKNOWN" + String(repeating: " ", count: 93))
        #expect(read(longer).verdict == .malformed("the PROXY header is longer than 107 bytes"))
        #expect(read(Array(longer.prefix(107))).verdict == .malformed("the PROXY header is longer than 107 bytes"))
    }

    @Test func `a binary header's length ends at 4096 bytes`() {
        let longest = ProxyBytes.binary([], family: 0, extensions: [UInt8](repeating: 4, count: 4080))
        #expect(read(longest, step: 1000).verdict == .complete(source: nil))
    }

    @Test func `a line has to end with both characters`() {
        let verdict = read(Array("PROXY UNKNOWN\n".utf8)).verdict
        #expect(verdict == .malformed("the PROXY header's line is malformed"))
    }

    @Test(arguments: [
        (
            ProxyBytes.binary([], family: 0, command: 0x11),
            "the PROXY header has an unknown version or command"
        ),
        (
            ProxyBytes.binary([], family: 0, command: 0x22),
            "the PROXY header has an unknown version or command"
        ),
        (ProxyBytes.binary(ProxyBytes.ipv4, family: 0x12), "the PROXY header names no stream connection"),
        (ProxyBytes.binary(ProxyBytes.ipv4, family: 0x10), "the PROXY header names no stream connection"),
        (ProxyBytes.binary(ProxyBytes.ipv4, family: 0x41), "the PROXY header names no stream connection"),
        (
            ProxyBytes.binary(Array(ProxyBytes.ipv4.dropLast()), family: 0x11),
            "the PROXY header is too short for its addresses"
        ),
        (ProxyBytes.binary(ProxyBytes.ipv4, family: 0x21), "the PROXY header is too short for its addresses"),
        (ProxyBytes.binary(ProxyBytes.ipv6, family: 0x31), "the PROXY header is too short for its addresses"),
        (ProxyBytes.binary([], family: 0, size: 4081), "the PROXY header is longer than 4096 bytes"),
        (ProxyBytes.binary([], family: 0, size: 65_535), "the PROXY header is longer than 4096 bytes"),
    ])
    func `a binary header that cannot be used ends with its fixed part`(_ bytes: [UInt8], _ reason: String) {
        #expect(read(Array(bytes.prefix(16)), step: 1).verdict == .malformed(reason))
    }

    @Test func `a connection without a header is known by its first wrong byte`() {
        let wrong = Verdict.malformed("the connection begins without a PROXY header")
        #expect(read(Array("PRI".utf8)).verdict == wrong)
        #expect(read([0x16]).verdict == wrong)
        #expect(read(Array("GET / HTTP/1.1".utf8)).verdict == wrong)
        for index in ProxyBytes.signature.indices {
            var bytes = Array(ProxyBytes.signature.prefix(index + 1))
            bytes[index] ^= 1
            #expect(read(bytes, step: 1).verdict == wrong)
        }
    }

    @Test func `random bytes behind a good start never trap`() {
        let random = SplitMixRandom(seed: 7)
        for _ in 0..<5_000 {
            let start = random.index(below: 2) == 0 ? ProxyBytes.signature + [0x21] : Array("PROXY TCP".utf8)
            let bytes = start + (0..<random.index(below: 60)).map { _ in UInt8(random.index(below: 256)) }
            let (verdict, rest) = read(bytes, step: 1 + random.index(below: 5))
            #expect(verdict != .complete(source: nil) || rest.count < bytes.count)
        }
    }
}
