// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import ApusWire
import Testing

/// A server with ``CompressedService`` and a channel to it, in memory, with an interceptor on both sides.
struct CompressedPair {
    let running: RunningServer
    let channel: Channel
    let client = Witness()
    let server = Witness()

    init(server options: ServerOptions = ServerOptions(), client limits: TransportOptions = TransportOptions()) throws {
        let network = InMemoryNetwork()
        running = try network.start(
            Server([CompressedService()], interceptors: [server]), as: "compressed", options: options)
        channel = Channel(
            "compressed", interceptors: [client, ToEndpoint(.memory("compressed"))],
            transport: network.transport(options: limits))
    }

    func close() async {
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0 && running.counts.handlers == 0)
    }
}

/// What compresses the requests and what the responses; nil for nothing.
struct Ways: Sendable, CustomTestStringConvertible {
    var request: Compression?
    var response: Compression?

    static let all = [nil, Compression.identity, .gzip, .deflate].flatMap { request in
        [nil, Compression.identity, .gzip, .deflate].map { Ways(request: request, response: $0) }
    }

    var testDescription: String { "\(request?.name ?? "-") there, \(response?.name ?? "-") back" }
    var options: CallOptions {
        let metadata: Metadata = response.map { ["x-answer": $0.name] } ?? Metadata()
        return CallOptions(metadata: metadata, compression: request)
    }
    var compressesRequest: Bool { request.map { $0 != .identity } ?? false }
    var compressesResponse: Bool { response.map { $0 != .identity } ?? false }
}

private let text = MessageBytes(String(repeating: "compress me, ", count: 100))

@Suite struct CompressionTests {
    @Test(arguments: Ways.all)
    func `a unary call is compressed where it was asked for`(_ ways: Ways) async throws {
        let pair = try CompressedPair()
        let answer = try await pair.channel.unary(CompressedService.Methods.echo, text, options: ways.options)
        #expect(answer.message == text)
        #expect(answer.trailers["x-arrived"] == (ways.compressesRequest ? "1" : "0"))
        #expect(answer.message.arrivedCompressed == ways.compressesResponse)
        await pair.close()
    }

    @Test(arguments: Ways.all)
    func `a client stream is compressed message by message`(_ ways: Ways) async throws {
        let pair = try CompressedPair()
        let answer = try await pair.channel.clientStreaming(CompressedService.Methods.join, options: ways.options) {
            try await $0.write(text)
            try await $0.write(text, compress: false)
            try await $0.write(MessageBytes(""))
            try await $0.write(text)
        }
        #expect(answer.message.bytes == text.bytes + text.bytes + text.bytes)
        #expect(answer.trailers["x-arrived"] == (ways.compressesRequest ? "1001" : "0000"))
        #expect(answer.message.arrivedCompressed == ways.compressesResponse)
        await pair.close()
    }

    @Test(arguments: Ways.all)
    func `a server stream is compressed message by message`(_ ways: Ways) async throws {
        let pair = try CompressedPair()
        let stream = try await pair.channel.serverStreaming(
            CompressedService.Methods.thrice, text, options: ways.options)
        var arrived: [Bool] = []
        for try await message in stream {
            #expect(message == text)
            arrived.append(message.arrivedCompressed)
        }
        #expect(arrived == (ways.compressesResponse ? [true, false, true] : [false, false, false]))
        #expect(stream.trailers["x-arrived"] == (ways.compressesRequest ? "1" : "0"))
        await pair.close()
    }

    @Test(arguments: Ways.all)
    func `a chat is compressed either way`(_ ways: Ways) async throws {
        let pair = try CompressedPair()
        let call = pair.channel.bidirectional(CompressedService.Methods.chat, options: ways.options)
        try await call.requests.write(text)
        let responses = try await call.responses()
        for _ in 0..<50 {
            let message = try await responses.next()
            #expect(message == text && message?.arrivedCompressed == ways.compressesResponse)
            try await call.requests.write(text)
        }
        call.requests.finish()
        #expect(try await responses.next() == text)
        #expect(try await responses.next() == nil)
        #expect(responses.trailers["x-arrived"] == String(repeating: ways.compressesRequest ? "1" : "0", count: 51))
        await pair.close()
    }

    @Test func `messages of four megabytes pass compressed both ways`() async throws {
        let pair = try CompressedPair()
        let random = SplitMixRandom(seed: 9)
        let part = (0..<(64 << 10)).map { _ in UInt8(truncatingIfNeeded: random.index(below: 9)) }
        let big = MessageBytes(Array(repeatElement(part, count: 64).joined()))
        let ways = Ways(request: .gzip, response: .deflate)
        let answer = try await pair.channel.unary(CompressedService.Methods.echo, big, options: ways.options)
        #expect(answer.message == big && answer.message.arrivedCompressed)
        await pair.close()
    }

    @Test func `interceptors see messages as they are, on both sides`() async throws {
        let pair = try CompressedPair()
        let options = Ways(request: .gzip, response: .gzip).options
        _ = try await pair.channel.unary(CompressedService.Methods.echo, text, options: options)
        _ = try await pair.channel.clientStreaming(CompressedService.Methods.join, options: options) {
            try await $0.write(text)
        }
        let stream = try await pair.channel.serverStreaming(CompressedService.Methods.thrice, text, options: options)
        while try await stream.next() != nil {}
        #expect(pair.client.requests.messages == [text, text, text])
        #expect(pair.server.requests.messages == [text, text, text])
        #expect(pair.server.responses.messages == [text, text])
        #expect(pair.client.responses.messages == [text, text, text, text, text])
        let all = [pair.client, pair.server].flatMap { $0.requests.messages + $0.responses.messages }
        #expect(all.allSatisfy { !$0.isCompressed })
        await pair.close()
    }

    @Test func `a server may compress what is large enough, unless its handler says otherwise`() async throws {
        var options = ServerOptions()
        options.compression = .deflate
        options.minimumCompressedBytes = 1000
        let pair = try CompressedPair(server: options)
        func arrives(_ message: MessageBytes, answer: Compression? = nil) async throws -> Bool {
            let options = Ways(response: answer).options
            let response = try await pair.channel.unary(CompressedService.Methods.echo, message, options: options)
            #expect(response.message == message)
            return response.message.arrivedCompressed
        }
        let zeros = [UInt8](repeating: 0, count: 1000)
        #expect(try await arrives(MessageBytes(zeros)))
        #expect(try await !arrives(MessageBytes(zeros.dropLast())))
        #expect(try await arrives(MessageBytes(zeros.dropLast()), answer: .gzip))
        #expect(try await !arrives(MessageBytes(zeros), answer: .identity))
        await pair.close()
    }

    @Test func `a client that reads no compression gets none`() async throws {
        var server = ServerOptions()
        server.compression = .gzip
        var client = TransportOptions()
        client.compressors = Compressors([DeflateCompressor()])
        let pair = try CompressedPair(server: server, client: client)
        for (answer, agreed) in [(Compression.gzip, "false"), ("br", "false"), (.identity, "true"), (.deflate, "true")]
        {
            let options = Ways(response: answer).options
            let response = try await pair.channel.unary(CompressedService.Methods.echo, text, options: options)
            #expect(response.message == text && response.message.arrivedCompressed == (answer == .deflate))
            #expect(response.trailers["x-agreed"] == agreed, "\(answer)")
        }
        await pair.close()
    }

    @Test func `a compressor of one's own is used by its name`() async throws {
        var server = ServerOptions()
        server.compressors = Compressors([Shortener()])
        var client = TransportOptions()
        client.compressors = Compressors([GzipCompressor(), Shortener()])
        let pair = try CompressedPair(server: server, client: client)
        let options = Ways(request: "shortener", response: "shortener").options
        let answer = try await pair.channel.unary(CompressedService.Methods.echo, text, options: options)
        #expect(answer.message == text && answer.message.arrivedCompressed)
        #expect(answer.trailers["x-arrived"] == "1")
        await pair.close()
    }
}

/// Knows one message only, and writes it as nothing.
private struct Shortener: Compressor {
    var compression: Compression { "shortener" }
    func compress(_ message: MessageBytes) throws(RPCError) -> [UInt8]? { message == text ? [] : nil }
    func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8] { text.bytes }
}
