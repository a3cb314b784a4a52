// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import Testing

@Suite struct AdminAnswerTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `an answer says how long it is, and that it is the connection's last`() {
        let text = text(AdminAnswer(.ok, "grün").bytes())
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("\r\nContent-Length: 5\r\n"))
        #expect(text.contains("\r\nConnection: close\r\n"))
        #expect(text.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
        #expect(text.hasSuffix("\r\n\r\ngrün"))
    }

    @Test func `an answer to HEAD has the same head and no content`() {
        let answer = AdminAnswer(.ok, "ok\n")
        #expect(text(answer.bytes()) == text(answer.bytes(headOnly: true)) + "ok\n")
    }

    @Test func `a refusal says what would be taken`() {
        #expect(AdminAnswer(.unauthorized).fields["WWW-Authenticate"] == "Bearer realm=\"admin\"")
        #expect(AdminAnswer(.methodNotAllowed).fields["Allow"] == "GET, HEAD")
        #expect(AdminAnswer(.unavailable, because: "so").body == "Service Unavailable: so\n")
    }

    @Test func `an event may have several lines`() {
        #expect(text(AdminAnswer.event("{\n  \"a\": 1\n}\n")) == "data: {\ndata:   \"a\": 1\ndata: }\n\n")
    }
}
