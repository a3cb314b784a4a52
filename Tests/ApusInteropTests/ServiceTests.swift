// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

/// What the interop server does beyond the cases: other implementations' clients ask for it.
@Suite(.timeLimit(.minutes(10))) struct ServiceTests {
    private typealias Methods = TestService.Methods

    @Test(arguments: [
        (SimpleRequest(responseStatus: EchoStatus(code: 99, message: "?")), Status.Code.unknown),
        (SimpleRequest(responseStatus: EchoStatus(code: -1, message: "?")), .unknown),
        (SimpleRequest(responseSize: -1), .invalidArgument),
        (SimpleRequest(responseSize: .max), .invalidArgument),
        (SimpleRequest(responseSize: .min), .invalidArgument),
        (SimpleRequest(responseType: .unrecognized(7)), .invalidArgument),
        (SimpleRequest(expectCompressed: BoolValue(value: true)), .invalidArgument),
    ])
    func `a request that cannot be met fails`(_ request: SimpleRequest, _ code: Status.Code) async throws {
        try await InteropServer.serve { channel in
            let error = await #expect(throws: RPCError.self) {
                try await TestService.Client(channel).unaryCall(request)
            }
            #expect(error?.code == code)
        }
    }

    @Test func `a large response comes whole`() async throws {
        try await InteropServer.serve { channel in
            let options = CallOptions(maximumResponseBytes: 40 << 20)
            let response = try await TestService.Client(channel).unaryCall(
                SimpleRequest(responseSize: 32 << 20), options: options)
            #expect(response.payload?.body.count == 32 << 20)
        }
    }

    @Test func `a status of OK is no error, and ends a stream`() async throws {
        try await InteropServer.serve { channel in
            let client = TestService.Client(channel)
            let ok = EchoStatus(code: 0, message: "")
            let response = try await client.unaryCall(SimpleRequest(responseSize: 7, responseStatus: ok))
            #expect(response.payload?.body.count == 7)
            let call = client.fullDuplexCall()
            try await call.requests.write(
                StreamingOutputCallRequest(responseParameters: [ResponseParameters(size: 1)], responseStatus: ok))
            #expect(try await call.responses().next() == nil)
        }
    }

    @Test func `a status ends a stream before the requests do`() async throws {
        try await InteropServer.serve { channel in
            let call = TestService.Client(channel).fullDuplexCall()
            try await call.requests.write(.wanting(5, payload: 1))
            let responses = try await call.responses()
            #expect(try await responses.next()?.payload?.body.count == 5)
            try await call.requests.write(
                StreamingOutputCallRequest(responseStatus: EchoStatus(code: 9, message: "enough")))
            let error = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(error?.status == Status(.failedPrecondition, "enough"))
        }
    }

    @Test(arguments: [-1, Int32.max])
    func `a response of an impossible size ends the stream after those before it`(_ size: Int32) async throws {
        try await InteropServer.serve { channel in
            let request = StreamingOutputCallRequest(
                responseParameters: [ResponseParameters(size: 3), ResponseParameters(size: size)])
            let responses = try await TestService.Client(channel).streamingOutputCall(request)
            #expect(try await responses.next()?.payload?.body.count == 3)
            let error = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `nothing asked for is nothing answered`() async throws {
        try await InteropServer.serve { channel in
            let client = TestService.Client(channel)
            #expect(try await client.streamingOutputCall(StreamingOutputCallRequest()).next() == nil)
            let call = client.fullDuplexCall()
            try await call.requests.write(StreamingOutputCallRequest())
            call.requests.finish()
            #expect(try await call.responses().next() == nil)
            #expect(try await client.streamingInputCall { _ in }.aggregatedPayloadSize == 0)
        }
    }

    @Test func `a half-duplex call is answered after its last request`() async throws {
        try await InteropServer.serve { channel in
            let call = TestService.Client(channel).halfDuplexCall()
            for size in [3, 0, 9] { try await call.requests.write(.wanting(size, payload: size)) }
            call.requests.finish()
            var sizes: [Int?] = []
            for try await response in try await call.responses() { sizes.append(response.payload?.body.count) }
            #expect(sizes == [3, 0, 9])
        }
    }

    @Test func `metadata comes back also from a call that fails`() async throws {
        try await InteropServer.serve { channel in
            var metadata = Metadata()
            for value in ["one", "two"] { metadata.add(InteropMetadata.initialKey, value) }
            for value: [UInt8] in [[1], [], [255, 0]] { metadata.add(InteropMetadata.trailingKey, binary: value) }
            let responses = try await TestService.Client(channel).streamingOutputCall(
                StreamingOutputCallRequest(responseStatus: EchoStatus(code: 5, message: "gone")),
                options: CallOptions(metadata: metadata))
            #expect(responses.metadata.values(of: InteropMetadata.initialKey) == ["one", "two"])
            let error = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(error?.code == .notFound)
            #expect(error?.metadata.binaryValues(of: InteropMetadata.trailingKey) == [[1], [], [255, 0]])
        }
    }

    @Test func `initial metadata comes back before anything else is asked for`() async throws {
        try await InteropServer.serve { channel in
            let call = TestService.Client(channel).fullDuplexCall(
                options: CallOptions(metadata: [InteropMetadata.initialKey: "now"]))
            let responses = try await call.responses()
            #expect(responses.metadata[InteropMetadata.initialKey] == "now")
            call.cancel()
        }
    }

    @Test func `a server's name is the same for all its calls, and another server has another`() async throws {
        var names: [String] = []
        for _ in 0..<2 {
            try await InteropServer.serve { channel in
                let client = TestService.Client(channel)
                let name = try await client.unaryCall(SimpleRequest(fillServerId: true)).serverId
                #expect(!name.isEmpty)
                #expect(try await client.unaryCall(SimpleRequest(fillServerId: true)).serverId == name)
                #expect(try await client.unaryCall(SimpleRequest()).serverId == "")
                names.append(name)
            }
        }
        #expect(Set(names).count == 2)
    }

    @Test func `a response that may be cached is another one each time`() async throws {
        try await InteropServer.serve { channel in
            var bodies: [[UInt8]?] = []
            for _ in 0..<2 {
                let response = try await channel.unary(Methods.cacheableUnaryCall, SimpleRequest())
                #expect(response.metadata["cache-control"]?.contains("max-age=60") == true)
                bodies.append(response.message.payload?.body)
            }
            #expect(bodies[0] != bodies[1])
        }
    }

    @Test func `clients that tell the server its load take turns, and who gives up passes its turn on`() async throws {
        try await InteropServer.serve { (channel) async throws in
            let report = StreamingOutputCallRequest(
                responseParameters: [ResponseParameters(size: 1)], orcaOobReport: TestOrcaReport(cpuUtilization: 0.5))
            let first = TestService.Client(channel).fullDuplexCall()
            try await first.requests.write(report)
            #expect(try await first.responses().next() != nil)
            let second = TestService.Client(channel).fullDuplexCall()
            try await second.requests.write(report)
            let third = TestService.Client(channel).fullDuplexCall()
            try await third.requests.write(report)
            second.cancel()
            first.cancel()
            #expect(try await third.responses().next() != nil)
            third.cancel()
        }
    }

    @Test func `the cases about load pass side by side`() async throws {
        try await InteropServer.serve { channel in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    for testCase in InteropCase.load {
                        group.addTask { try await InteropClient { channel }.run(testCase) }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
