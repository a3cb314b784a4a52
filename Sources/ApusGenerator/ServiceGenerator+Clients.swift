// SPDX-License-Identifier: Apache-2.0

extension ServiceGenerator {
    private var optionsParameter: String { "options: CallOptions = CallOptions()" }

    func client(_ writer: inout CodeWriter) {
        writer.doc("Calls the service through a channel.")
        writer.block("\(access)struct Client: Sendable") { writer in
            channel(&writer)
            writer.line()
            writer.doc("The same calls for code that is not `async`.")
            writer.line("\(access)var blocking: BlockingClient { BlockingClient(channel) }")
            for method in model.methods {
                writer.line()
                call(method, &writer)
            }
        }
    }

    func blockingClient(_ writer: inout CodeWriter) {
        writer.doc("Calls the service from code that is not `async`: each call parks its thread.")
        writer.block("\(access)struct BlockingClient: Sendable") { writer in
            channel(&writer)
            for method in model.methods where !(method.streamsRequests && method.streamsResponses) {
                writer.line()
                blockingCall(method, &writer)
            }
        }
    }

    private func channel(_ writer: inout CodeWriter) {
        writer.doc("The channel that it calls through.")
        writer.line("\(access)let channel: Channel")
        writer.line()
        writer.doc("A client that calls through the channel.")
        writer.line("\(access)init(_ channel: Channel) { self.channel = channel }")
    }

    private func call(_ method: ServiceModel.Method, _ writer: inout CodeWriter) {
        switch (method.streamsRequests, method.streamsResponses) {
        case (false, false): unary(method, &writer)
        case (false, true): serverStreaming(method, &writer)
        case (true, false): clientStreaming(method, &writer)
        case (true, true): bidirectional(method, &writer)
        }
    }

    private func unary(_ method: ServiceModel.Method, _ writer: inout CodeWriter) {
        function(
            method, ["_ request: \(method.request)", optionsParameter], "async throws(RPCError) -> \(method.response)",
            "try await channel.unary(Methods.\(method.name), request, options: options).message", &writer)
    }

    private func serverStreaming(_ method: ServiceModel.Method, _ writer: inout CodeWriter) {
        function(
            method, ["_ request: \(method.request)", optionsParameter],
            "async throws(RPCError) -> ResponseStream<\(method.responseCodec)>",
            "try await channel.serverStreaming(Methods.\(method.name), request, options: options)", &writer)
    }

    private func clientStreaming(_ method: ServiceModel.Method, _ writer: inout CodeWriter) {
        let send = "_ send: (RequestWriter<\(method.requestCodec)>) async throws -> Void"
        function(
            method, [optionsParameter, send], "async throws -> \(method.response)",
            "try await channel.clientStreaming(Methods.\(method.name), options: options, send).message", &writer)
        writer.line()
        function(
            method, [optionsParameter],
            "-> ClientStreamingCall<\(method.requestCodec), \(method.responseCodec)>",
            "channel.clientStreaming(Methods.\(method.name), options: options)", &writer)
    }

    private func bidirectional(_ method: ServiceModel.Method, _ writer: inout CodeWriter) {
        function(
            method, [optionsParameter], "-> BidirectionalCall<\(method.requestCodec), \(method.responseCodec)>",
            "channel.bidirectional(Methods.\(method.name), options: options)", &writer)
    }

    private func blockingCall(_ method: ServiceModel.Method, _ writer: inout CodeWriter) {
        let verb = "try channel.blocking.\(method.kind)(Methods.\(method.name),"
        if method.streamsRequests {
            function(
                method, ["_ requests: some Sequence<\(method.request)> & Sendable", optionsParameter],
                "throws(RPCError) -> \(method.response)", "\(verb) requests, options: options).message", &writer)
        } else if method.streamsResponses {
            function(
                method, ["_ request: \(method.request)", optionsParameter],
                "throws(RPCError) -> BlockingResponses<\(method.responseCodec)>",
                "\(verb) request, options: options)", &writer)
        } else {
            function(
                method, ["_ request: \(method.request)", optionsParameter], "throws(RPCError) -> \(method.response)",
                "\(verb) request, options: options).message", &writer)
        }
    }

    private func function(
        _ method: ServiceModel.Method, _ parameters: [String], _ result: String, _ body: String,
        _ writer: inout CodeWriter
    ) {
        writer.doc(method.comment)
        if method.isDeprecated { writer.line("@available(*, deprecated)") }
        var head = signature(method, parameters, result)
        head[0] = access + head[0]
        writer.lines(head.dropLast())
        writer.block(head[head.count - 1]) { $0.line(body) }
    }
}
