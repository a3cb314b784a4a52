// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

private struct Stub: Service {
    var routes: [Route] {
        ["First", "Second"].map { name in
            Route(MethodDescriptor(service: "test.Stub", name: name, kind: .unary)) { _ in ServerResponse(message: nil)
            }
        }
    }
}

@Suite struct RequestHeadTests {
    private let router: Router

    init() throws { router = try Router([Stub()]) }

    private static let good: Fields = [
        ":method": "POST", ":scheme": "http", ":path": "/test.Stub/Second", ":authority": "a", "te": "trailers",
        "content-type": "application/grpc",
    ]

    private func head(_ fields: Fields, limit: Int = 16 << 10) -> RequestHead {
        let tables = RequestHead.Tables(router, .standard)
        var head = RequestHead(limit: limit)
        for field in fields.all {
            field.name.onWire { name in
                field.value.onWire { head.receive(name: name, value: $0, tables) }
            }
        }
        return head
    }

    private func verdict(_ changes: [String: String?], limit: Int = 16 << 10) -> String {
        var fields = Self.good
        for (name, value) in changes {
            fields.all.removeAll { $0.name == name }
            if let value { fields.all.append(Fields.Field(name: name, value: value)) }
        }
        var head = head(fields, limit: limit)
        return switch head.verdict() {
        case .start(let index): "start \(index)"
        case .reject(let status): "\(status)"
        case .rejectHTTP(let refusal): "HTTP \(refusal.status)"
        case .terminate: "terminate"
        }
    }

    @Test(
        arguments: [
            ([:], "start 1"),
            ([":path": "/test.Stub/First"], "start 0"),
            ([":path": "/test.Stub/first"], "UNIMPLEMENTED: unknown method /test.Stub/first"),
            ([":path": "/test.Stub/Third"], "UNIMPLEMENTED: unknown method /test.Stub/Third"),
            ([":path": "/"], "UNIMPLEMENTED: unknown method /"),
            ([":method": "GET"], "HTTP 405"),
            ([":method": "post"], "HTTP 405"),
            ([":method": nil], "HTTP 405"),
            (["content-type": nil], "HTTP 415"),
            (["content-type": "application/json"], "HTTP 415"),
            (["content-type": "application/grpc+proto"], "start 1"),
            (["grpc-timeout": "1S"], "start 1"),
            (["grpc-timeout": "1s"], "INTERNAL: malformed grpc-timeout"),
            (["grpc-timeout": ""], "INTERNAL: malformed grpc-timeout"),
            (["grpc-encoding": "identity"], "start 1"),
            (["grpc-encoding": "gzip"], "start 1"),
            (["grpc-encoding": "deflate"], "start 1"),
            (["grpc-encoding": "br"], "UNIMPLEMENTED: grpc-encoding \"br\" is not supported"),
            (["grpc-encoding": ""], "UNIMPLEMENTED: grpc-encoding \"\" is not supported"),
            (["grpc-encoding": "br", ":path": "/no"], "UNIMPLEMENTED: unknown method /no"),
            (["te": nil], "start 1"),
        ] as [([String: String?], String)])
    func `a request gets its verdict`(_ changes: [String: String?], _ expected: String) {
        #expect(verdict(changes) == expected)
    }

    @Test func `metadata is what is neither gRPC's nor HTTP's`() {
        var fields = Self.good
        fields.all +=
            ([
                "user-agent": "x", "x-one": "1", "grpc-timeout": "5m", "grpc-foo": "y", "x-one": "2", "host": "h",
                "grpc-accept-encoding": "gzip", "grpc-previous-rpc-attempts": "1",
            ] as Fields).all
        let head = head(fields)
        #expect(head.metadata == ["x-one": "1", "x-one": "2", "grpc-previous-rpc-attempts": "1"])
        #expect(head.timeout == 5_000_000)
    }

    @Test func `too much metadata rejects the call, far too much the connection`() {
        let text = String(repeating: "x", count: 900)
        #expect(verdict(["x": text], limit: 1024) == "RESOURCE_EXHAUSTED: the request's metadata is above the limit")
        #expect(verdict(["x": String(repeating: "x", count: 70_000)], limit: 1024) == "terminate")
        #expect(verdict(["x": text]) == "start 1")
    }

    @Test func `what follows the limit is not kept`() {
        var fields = Self.good
        for index in 0..<500 { fields.all.append(Fields.Field(name: "x-\(index)", value: "v")) }
        var head = head(fields)
        #expect(head.metadata.entries.count == 128 - Self.good.all.count)
        guard case .reject(let status) = head.verdict() else { return #expect(Bool(false), "it should be rejected") }
        #expect(status.code == .resourceExhausted)
    }
}
