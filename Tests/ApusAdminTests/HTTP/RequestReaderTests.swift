// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import Testing

@Suite struct RequestReaderTests {
    private func outcome(_ text: String) -> RequestReader.Outcome {
        var reader = RequestReader()
        return reader.receive(text.utf8)
    }

    private func head(_ text: String) -> RequestHead? {
        guard case .request(let head) = outcome(text) else { return nil }
        return head
    }

    @Test func `a request's method, path and fields are read`() {
        let head = head("GET /rpcz.json?x=1 HTTP/1.1\r\nHost: localhost:9900\r\nAccept:  text/html \r\n\r\n")
        #expect(head?.method == "GET")
        #expect(head?.path == "/rpcz.json")
        #expect(head?.fields == ["host": "localhost:9900", "accept": "text/html"])
    }

    @Test func `fields of one name are one list, whatever their letters`() {
        let head = head("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nACCEPT: application/json\r\n\r\n")
        #expect(head?.fields["accept"] == "text/html, application/json")
    }

    @Test func `a request may come byte by byte`() {
        let text = "HEAD / HTTP/1.0\r\nHost: localhost\r\n\r\n"
        var reader = RequestReader()
        let outcomes = text.utf8.map { reader.receive([$0]) }
        #expect(outcomes.dropLast().allSatisfy { $0 == .more })
        #expect(outcomes.last == .request(RequestHead(method: "HEAD", path: "/", fields: ["host": "localhost"])))
    }

    @Test func `what stands behind a head is left alone`() {
        #expect(head("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n\r\n")?.path == "/a")
    }

    @Test(arguments: [
        "GET /\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", " GET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: ä\r\n\r\n", "\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    ])
    func `what is no request is refused`(_ text: String) {
        #expect(outcome(text) == .refused(.badRequest))
    }

    @Test func `another version is refused`() {
        #expect(outcome("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == .refused(.versionNotSupported))
    }

    @Test(arguments: ["Content-Length: 1", "Content-Length: 0, 5", "Content-Length: x", "Transfer-Encoding: chunked"])
    func `a request with content is refused`(_ field: String) {
        #expect(outcome("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n") == .refused(.contentTooLarge))
        #expect(head("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") != nil)
    }

    @Test func `a head without an end is refused, and no more than its limit is kept`() {
        var reader = RequestReader()
        #expect(reader.receive("GET / HTTP/1.1\r\nHost: ".utf8) == .more)
        let part = [UInt8](repeating: 0x61, count: 4096)
        #expect(reader.receive(part) == .more)
        #expect(reader.receive(part) == .refused(.headTooLarge))
        #expect(reader.receive(part) == .refused(.headTooLarge))
    }

    @Test func `a head of too many fields is refused`() {
        let fields = (0..<RequestReader.maximumFields).map { "F\($0): a\r\n" }.joined()
        #expect(head("GET / HTTP/1.1\r\n\(fields)\r\n")?.fields.count == RequestReader.maximumFields)
        #expect(outcome("GET / HTTP/1.1\r\n\(fields)G: a\r\n\r\n") == .refused(.headTooLarge))
    }
}
