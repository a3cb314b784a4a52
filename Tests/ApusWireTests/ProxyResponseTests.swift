// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

@Suite struct ProxyResponseTests {
    private func read(_ text: String, step: Int = .max) -> ProxyResponse.Answer {
        var response = ProxyResponse()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(step))
            rest = rest.dropFirst(step)
            let answer = piece.withUnsafeBytes { response.receive($0) }
            if answer != .more { return answer }
        }
        return .more
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\nProxy-Agent: x\r\n\r\n",
        "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA:\tb\r\n\r\n",
    ])
    func `an answer of success makes a tunnel, whatever its pieces`(_ text: String) {
        #expect(read(text) == .established(rest: []))
        for step in 1..<text.utf8.count { #expect(read(text, step: step) == .established(rest: [])) }
        #expect(read(String(text.dropLast())) == .more)
    }

    @Test func `bytes behind the head belong to the tunnel`() {
        #expect(read("HTTP/1.1 200 OK\r\n\r\nPRI\r\n\r\n") == .established(rest: Array("PRI\r\n\r\n".utf8)))
    }

    @Test(arguments: [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required"),
        ("HTTP/1.1 403\r\n\r\n", "403"), ("HTTP/1.0 503 Down \u{e9}\r\nx: y\r\n\r\n<html>", "503 Down \u{e9}"),
        ("HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\n\r\n", "302 Found"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "101 Switching Protocols"),
    ])
    func `any other status is told`(_ text: String, _ reason: String) {
        #expect(read(text) == .refused(reason))
        #expect(read(text, step: 1) == .refused(reason))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1 999 What\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 O\u{1}K\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\na : c\r\n\r\n", "HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", "\r\n\r\n", "\0\0\0\0",
    ])
    func `what is not HTTP is refused`(_ text: String) {
        #expect(read(text) == .refused("its answer is not HTTP/1.1"))
        #expect(read(text, step: 1) == .refused("its answer is not HTTP/1.1"))
    }

    @Test func `line ends without a carriage return are no line ends`() {
        #expect(read("HTTP/1.1 200 OK\n\n") == .more)
    }

    @Test func `a head has a bound`() {
        let start = "HTTP/1.1 200 OK\r\nx: "
        let room = ProxyResponse.limit - start.utf8.count
        #expect(read(start + String(repeating: "x", count: room) + "\r\n\r\n") == .established(rest: []))
        let over = ProxyResponse.Answer.refused("its answer has a head above 16384 bytes")
        #expect(read(start + String(repeating: "x", count: room + 1)) == over)
        #expect(read(start + String(repeating: "x", count: room + 1) + "\r\n\r\n") == over)
        #expect(read(start + String(repeating: "x", count: 100_000), step: 1000) == over)
    }

    @Test func `informational heads have a bound`() {
        let wait = "HTTP/1.1 102 Processing\r\n\r\n"
        #expect(read(String(repeating: wait, count: 4) + "HTTP/1.1 200 OK\r\n\r\n") == .established(rest: []))
        #expect(read(String(repeating: wait, count: 5), step: 7) == .refused("its answer has no end"))
    }

    @Test func `the request names the target twice, and who asks`() {
        let plain = String(decoding: ProxyRequest.connect(to: "[::1]:443", credentials: nil), as: UTF8.self)
        #expect(plain.hasPrefix("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nUser-Agent: grpc-swift-apus/"))
        #expect(plain.hasSuffix("\r\n\r\n"))
        #expect(!plain.contains("Authorization"))
        // RFC 7617, section 2.
        let known = ProxyRequest.connect(to: "a:1", credentials: "Aladdin:open sesame")
        #expect(
            String(decoding: known, as: UTF8.self)
                .contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"))
    }
}
