// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import Testing

@testable import ApusTransport

/// Back-pressure: what holds a writer, and that it never holds for ever.
@Suite(.timeLimit(.minutes(10))) struct FlowControlTests {
    @Test(arguments: [1, 100, 4096, 16 << 10, 64 << 10, 1 << 20])
    func `messages pass windows of any size, also those that they fill to the byte`(_ window: Int) async throws {
        var client = TransportOptions()
        client.streamWindow = window
        var server = ServerOptions()
        server.streamWindow = window
        let pair = try Pair(.tcp, server: server, client: client)
        // Four of these and their prefixes are 4096 bytes.
        let message = MessageBytes([UInt8](repeating: 3, count: 1019))
        let call = pair.channel.bidirectional(EchoService.Methods.chat)
        async let written: Void = {
            for _ in 0..<400 { try await call.requests.write(message) }
            call.requests.finish()
        }()
        let responses = try await call.responses()
        var count = 0
        while let answer = try await responses.next() {
            #expect(answer == message)
            count += 1
        }
        try await written
        #expect(count == 400)
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a reader that does not read stops the writer, and a cancellation ends it`(_ medium: Medium) async throws {
        let odd = OddService()
        let pair = try Pair(medium, serving: [odd])
        let stream = try await pair.channel.serverStreaming(OddService.Methods.flood, MessageBytes(""))
        for _ in 0..<1000 { #expect(try await stream.next()?.count == 8192) }
        stream.cancel()
        try await odd.stopped.wait()
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test func `a pipe in memory holds its writer until the other end reads`() throws {
        let loops = try EventLoops(count: 2).loops
        let (near, far) = MemoryPipe.pair("test", loops[0], loops[1])
        let reader = PipeReader()
        let writer = PipeReader()
        loops[1].perform {
            far.start(reader)
            far.setReading(false)
        }
        let chunk = [UInt8](repeating: 5, count: 32 * 1024)
        let taken = loops[0].perform { [loop = loops[0]] in
            near.start(writer)
            var chunks = 1
            let write = {
                chunk.withUnsafeBytes { loop.output.append(copying: $0) }
                return near.write(loop.output)
            }
            while write() { chunks += 1 }
            return chunks
        }
        #expect(taken == 9, "a quarter of a mebibyte, and what went over it")
        #expect(loops[0].perform { writer.drained } == 0)
        #expect(loops[1].perform { reader.count } == 0)
        loops[1].perform { far.setReading(true) }
        #expect(loops[1].perform { reader.count } == taken * chunk.count)
        #expect(loops[0].perform { writer.drained } == 1)
        loops[0].perform { near.close("enough") }
        #expect(loops[1].perform { reader.end } == "enough")
    }

    // Sendable: each is touched on its own loop.
    private final class PipeReader: ConnectionIOHandler, @unchecked Sendable {
        var count = 0
        var drained = 0
        var end: String?
        func ioReceived(_ bytes: UnsafeRawBufferPointer) { count += bytes.count }
        func ioDrained() { drained += 1 }
        func ioEnded(_ reason: String) { end = reason }
    }
}
