// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct HTTPRefusalTests {
    private func refusal(method: String, contentType: String? = "text/html") throws -> HTTPRefusal {
        let tables = RequestHead.Tables(try Router([]), .none)
        var head = RequestHead(limit: 1 << 10)
        for (name, value) in [(":method", method), ("content-type", contentType)] {
            guard let value else { continue }
            name.onWire { name in
                value.onWire { head.receive(name: name, value: $0, tables) }
            }
        }
        guard case .rejectHTTP(let refusal) = head.verdict() else {
            throw RPCError(.internal, "the request was not refused")
        }
        return refusal
    }

    @Test(arguments: ["GET", "PUT", "post"])
    func `another method than POST gets 405, after the request`(_ method: String) throws {
        let refusal = try refusal(method: method)
        var fields = Fields()
        refusal.write(to: &fields)
        #expect(fields[":status"] == "405" && fields["allow"] == "POST" && fields["grpc-status"] == nil)
        #expect(fields["content-length"] == "\(refusal.text.utf8.count)" && !refusal.text.isEmpty)
        #expect(refusal.patience > 0)
    }

    @Test func `a foreign content-type gets 415 at once`() throws {
        let refusal = try refusal(method: "POST")
        var fields = Fields()
        refusal.write(to: &fields)
        #expect(fields[":status"] == "415" && fields["allow"] == nil && fields["grpc-status"] == nil)
        #expect(fields["content-length"] == "\(refusal.text.utf8.count)" && !refusal.text.isEmpty)
        #expect(refusal.patience == 0)
    }

    @Test func `a request without any content-type gets 415 when it ended`() throws {
        let refusal = try refusal(method: "POST", contentType: nil)
        #expect(refusal.status == 415 && refusal.patience > 0)
    }

    @Test func `HEAD gets no text`() throws {
        let refusal = try refusal(method: "HEAD")
        var fields = Fields()
        refusal.write(to: &fields)
        #expect(refusal.text.isEmpty && fields[":status"] == "405" && fields["content-length"] == "0")
    }
}
