// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import Testing

@testable import ApusTransport

@Suite(.timeLimit(.minutes(5))) struct RequestTemplatesTests {
    private static func method(_ name: String) -> MethodDescriptor {
        MethodDescriptor(service: "test.Many", name: name, kind: .unary)
    }

    @Test func `one is made for each method, target and compression, and as many as there is room for`() {
        var (templates, made) = (RequestTemplates(), 0)
        func has(_ name: String, _ target: String = "a", _ compressor: Int? = nil) -> Bool {
            let method = Self.method(name)
            return templates.template(of: method, to: target, compressor) {
                made += 1
                return RequestTemplate(method, to: target, compressor, first: HeaderBlock(), others: HeaderBlock())
            } != nil
        }
        #expect(has("M") && has("M") && made == 1)
        #expect(has("M", "b") && has("M", "a", 0) && has("M", "a", 1) && made == 4)
        for index in 4..<RequestTemplates.limit { #expect(has("\(index)")) }
        #expect(!has("one more") && made == RequestTemplates.limit)
        #expect(has("M") && has("63") && made == RequestTemplates.limit)
    }

    @Test func `calls that have as much time as the one before have its fields, others have their own`() {
        var (first, others) = (HeaderBlock(), HeaderBlock())
        first.add("te", "trailers")
        others.add("x-a", "1")
        let template = RequestTemplate(Self.method("M"), to: "a", nil, first: first, others: others)
        func fields(_ left: Int64?) -> (count: Int, isWhole: Bool) {
            if let whole = template.fields(left: left) { return (whole.count, true) }
            var block = HeaderBlock()
            template.writeOnce(to: &block)
            return (block.count, false)
        }
        #expect(fields(nil) == (2, true) && fields(nil) == (2, true))
        let whole = template.fields(left: nil)
        #expect(whole != nil && template.fields(left: nil) === whole)
        #expect(fields(1_000_000_000) == (3, false) && fields(999_999_000) == (3, true))
        let timed = template.fields(left: 999_000_000)
        #expect(timed != nil && template.fields(left: 1_000_000_000) === timed)
        #expect(fields(5_000_000_000) == (3, false) && fields(1_000_000_000) == (3, false))
        #expect(fields(nil) == (2, true) && fields(1_000_000_000) == (3, false) && fields(1_000_000_000) == (3, true))
    }

    @Test func `calls of more methods than that arrive with all of their fields`() async throws {
        let service = EchoMany(count: RequestTemplates.limit + 20)
        let network = InMemoryNetwork()
        let server = try network.start(Server([service]), as: "many")
        let channel = Channel("many", interceptors: [ToEndpoint(.memory("many"))], transport: network.transport())
        for round in 0..<2 {
            for method in service.methods {
                var options = CallOptions(timeout: .seconds(round == 0 ? 60 : 600))
                options.metadata["x-round"] = "\(round)"
                let answer = try await channel.unary(method, MessageBytes("hello".utf8), options: options).message
                #expect(answer.text == "\(method.descriptor.path) \(round) hello")
            }
        }
        channel.close()
        await server.stop(grace: .seconds(10))
    }
}

/// Methods that answer with what they were asked.
private struct EchoMany: Service {
    let methods: [Method<BytesCodec, BytesCodec>]

    init(count: Int) {
        methods = (0..<count).map { Method(service: "test.Many", name: "Method\($0)", kind: .unary) }
    }

    var routes: [Route] {
        methods.map { method in
            .unary(method) { request, call in
                let round = call.metadata["x-round"] ?? "?"
                return MessageBytes(
                    "\(call.method.path) \(round) \(request.text)".utf8)
            }
        }
    }
}
