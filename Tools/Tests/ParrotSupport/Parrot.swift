// SPDX-License-Identifier: Apache-2.0

package import Apus

/// Says what it is told: in once, many times, at the end, or at once.
package struct ParrotService: Parrot.Handler {
    package init() {}

    package func say(_ request: SayRequest, call: ServerCall) async throws -> SayReply {
        try Self.check(request)
        if request.pauseMs > 0 { try await Task.sleep(for: .milliseconds(Int(request.pauseMs))) }
        return SayReply(text: request.text, number: 1, metadata: Self.texts(call.metadata))
    }

    package func `repeat`(
        _ request: SayRequest, to writer: ResponseWriter<ProtobufCodec<SayReply>>, call: ServerCall
    ) async throws {
        for number in 0..<Int64(request.times ?? 1) {
            try await writer.write(SayReply(text: request.text, number: number + 1))
        }
        if request.failure != 0 { throw RPCError(.aborted, "the parrot flew away") }
    }

    package func join(
        _ requests: RequestStream<ProtobufCodec<SayRequest>>, call: ServerCall
    ) async throws -> SayReply {
        var texts: [String] = []
        for try await request in requests {
            try Self.check(request)
            texts.append(request.text)
        }
        return SayReply(text: texts.joined(separator: " "), number: Int64(texts.count))
    }

    package func chat(
        _ requests: RequestStream<ProtobufCodec<SayRequest>>, to writer: ResponseWriter<ProtobufCodec<SayReply>>,
        call: ServerCall
    ) async throws {
        var number: Int64 = 0
        for try await request in requests {
            try Self.check(request)
            number += 1
            try await writer.write(SayReply(text: request.text, number: number))
        }
    }

    private static func check(_ request: SayRequest) throws(RPCError) {
        guard request.failure != 0 else { return }
        throw RPCError(Status.Code(rawValue: Int(request.failure)) ?? .unknown, request.text)
    }

    // What the caller sent of its own, as the reply carries it.
    private static func texts(_ metadata: Metadata) -> [String: String] {
        var result: [String: String] = [:]
        for entry in metadata.entries where entry.key.hasPrefix("x-") {
            switch entry.value {
            case .ascii(let text): result[entry.key] = text
            case .binary(let bytes): result[entry.key] = "\(bytes)"
            }
        }
        return result
    }
}

/// Some of a service's routes, as another server may have them.
package struct PartOfService: Service {
    package let routes: [Route]

    /// The routes of methods whose service has a name that the test picks.
    package init(_ service: any Service, where isThere: (String) -> Bool) {
        routes = service.routes.filter { isThere($0.method.service) }
    }
}
