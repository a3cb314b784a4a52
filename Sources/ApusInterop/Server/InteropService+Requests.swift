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

extension BoolValue? {
    /// Checks what a client believes of how its request travels.
    ///
    /// - Throws: INVALID_ARGUMENT when it came otherwise.
    func check(_ request: MessageBytes) throws(RPCError) {
        guard let self, self.value != request.arrivedCompressed else { return }
        let (expected, came) = self.value ? ("compressed", "as it is") : ("as it is", "compressed")
        throw RPCError(.invalidArgument, "the request was to come \(expected) and came \(came)")
    }
}

extension StreamingOutputCallRequest {
    /// Whether any response shall be compressed.
    var wantsCompression: Bool { responseParameters.contains { $0.compressed?.value == true } }

    /// Sends the wanted responses, each after the wanted time, and compressed only when that is wanted.
    func answer(to writer: ResponseWriter<ProtobufCodec<StreamingOutputCallResponse>>) async throws {
        for wanted in responseParameters {
            if wanted.intervalUs > 0 { try await Task.sleep(for: .microseconds(wanted.intervalUs)) }
            let response = StreamingOutputCallResponse(payload: try .zeros(wanted.size, responseType))
            try await writer.write(response, compress: wanted.compressed?.value ?? false)
        }
    }
}

extension TestOrcaReport {
    /// Makes the report all that is recorded.
    func record(_ recorder: LoadRecorder?) { recorder?.update { $0 = LoadReport(self) } }
}

extension LoadReport {
    /// What a client wants to be reported.
    init(_ report: TestOrcaReport) {
        self.init()
        cpuUtilization = report.cpuUtilization
        memoryUtilization = report.memoryUtilization
        requestCost = report.requestCost
        utilization = report.utilization
    }
}

extension ServerCall {
    /// Compresses the response in a way that the client reads, if that is wanted. To be called before
    /// ``echoMetadata()``, with which the choice may leave.
    func compressResponses(if wanted: Bool?) {
        guard wanted == true else { return }
        for compression in [Compression.gzip, .deflate] where compressResponses(with: compression) { return }
    }

    /// Sends back what the client sent under the two agreed keys: the one at once, so that it comes even when the call
    /// fails, the other with the status.
    func echoMetadata() {
        var trailing = Metadata()
        for value in metadata.binaryValues(of: InteropMetadata.trailingKey) {
            trailing.add(InteropMetadata.trailingKey, binary: value)
        }
        setTrailers(trailing)
        var initial = Metadata()
        for value in metadata.values(of: InteropMetadata.initialKey) { initial.add(InteropMetadata.initialKey, value) }
        guard !initial.isEmpty else { return }
        setInitialMetadata(initial)
        sendInitialMetadata()
    }
}

/// The keys that a server sends back.
enum InteropMetadata {
    static let initialKey = "x-grpc-test-echo-initial"
    static let trailingKey = "x-grpc-test-echo-trailing-bin"
}
