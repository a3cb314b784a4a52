// SPDX-License-Identifier: Apache-2.0

import Apus

extension Payload {
    // More than any case asks for, and little for a process.
    private static let maximumSize: Int32 = 64 << 20

    /// That many zeros.
    ///
    /// - Throws: INVALID_ARGUMENT for a size or type that this server does not make.
    static func zeros(_ size: Int32, _ type: PayloadType = .compressable) throws(RPCError) -> Payload {
        guard type == .compressable else {
            throw RPCError(.invalidArgument, "the payload type \(type.rawValue) is not known here")
        }
        guard (0...maximumSize).contains(size) else {
            throw RPCError(.invalidArgument, "a payload has 0 to \(maximumSize) bytes, not \(size)")
        }
        return Payload(body: [UInt8](repeating: 0, count: Int(size)))
    }
}

extension EchoStatus {
    /// - Throws: the status, unless it is OK.
    func check() throws(RPCError) {
        guard code != 0 else { return }
        throw RPCError(Status.Code(rawValue: Int(code)) ?? .unknown, message)
    }
}

extension StreamingOutputCallRequest {
    /// Sends the wanted responses, each after the wanted time.
    func answer(to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>) async throws {
        for wanted in responseParameters {
            if wanted.intervalUs > 0 { try await Task.sleep(for: .microseconds(wanted.intervalUs)) }
            try await writer.write(StreamingOutputCallResponse(payload: .zeros(wanted.size, responseType)))
        }
    }
}

extension ServerCall {
    /// Sends back what the client sent under the two agreed keys.
    func echoMetadata() {
        var initial = Metadata()
        for value in metadata.values(of: InteropMetadata.initialKey) { initial.add(InteropMetadata.initialKey, value) }
        setInitialMetadata(initial)
        var trailing = Metadata()
        for value in metadata.binaryValues(of: InteropMetadata.trailingKey) {
            trailing.add(InteropMetadata.trailingKey, binary: value)
        }
        setTrailers(trailing)
    }
}

/// The keys that a server sends back.
enum InteropMetadata {
    static let initialKey = "x-grpc-test-echo-initial"
    static let trailingKey = "x-grpc-test-echo-trailing-bin"
}
