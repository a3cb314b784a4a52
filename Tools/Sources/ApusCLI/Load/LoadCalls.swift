// SPDX-License-Identifier: Apache-2.0

import Apus
import Schemas

/// The calls of a run: requests in turn, over connections in turn.
struct LoadCalls: LoadTarget {
    private let method: Method<BytesCodec, BytesCodec>
    private let channels: [Channel]
    private let executors: [any TaskExecutor]
    private let options: CallOptions
    private let requests: [MessageBytes]

    /// - Parameters:
    ///   - channels: one for each connection, at least one.
    ///   - requests: the messages, at least one.
    /// - Throws: why a server cannot be reached.
    init(
        _ method: Schema.CallableMethod, _ channels: [Channel], _ options: CallOptions, requests: [MessageBytes]
    ) async throws(RPCError) {
        self.method = method.raw
        self.channels = channels
        self.options = options
        self.requests = requests
        // A call on a loop goes over that loop's own connection: each channel keeps to one loop.
        executors = try EventLoops.shared().executors
        try await channels[0].connect()
    }

    private func channel(ofLane lane: Int) -> Int { lane % channels.count }

    func executor(ofLane lane: Int) -> (any TaskExecutor)? { executors[channel(ofLane: lane) % executors.count] }

    func call(_ number: Int, lane: Int) async throws(RPCError) {
        let channel = channels[channel(ofLane: lane)]
        let request = requests[number % requests.count]
        switch method.descriptor.kind {
        case .unary: _ = try await channel.unary(method, request, options: options)
        case .serverStreaming:
            let responses = try await channel.serverStreaming(method, request, options: options)
            while try await responses.next() != nil {}
        case .clientStreaming:
            let call = channel.clientStreaming(method, options: options) as ClientStreamingCall<BytesCodec, BytesCodec>
            await Self.send(request, to: call.requests)
            _ = try await call.response()
        case .bidirectional:
            let call = channel.bidirectional(method, options: options)
            await Self.send(request, to: call.requests)
            let responses = try await call.responses()
            while try await responses.next() != nil {}
        }
    }

    // A write fails because its call has ended: the call's own error says more.
    private static func send(_ request: MessageBytes, to writer: RequestWriter<BytesCodec>) async {
        try? await writer.write(request)
        writer.finish()
    }
}

extension Schema.CallableMethod {
    /// The method with messages that are bytes.
    var raw: Method<BytesCodec, BytesCodec> {
        Method(
            service: descriptor.service, name: descriptor.name, kind: descriptor.kind,
            idempotency: descriptor.idempotency)
    }
}
