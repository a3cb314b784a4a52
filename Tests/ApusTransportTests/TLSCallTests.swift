// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import ApusTransport
import Synchronization
import Testing

/// What tests of TLS share: an authority, and a server and a channel that trust it.
struct SecureSetup {
    let authority: TLSTestAuthority
    var server: ServerTLS
    var client: ClientTLS

    init() throws {
        authority = try TLSTestAuthority()
        server = ServerTLS(try authority.issue(dns: ["localhost", "echo"], ip: ["127.0.0.1"]))
        client = ClientTLS(roots: authority.roots)
    }

    func pair(_ medium: Medium) throws -> Pair {
        var serverOptions = ServerOptions()
        serverOptions.tls = server
        var clientOptions = TransportOptions()
        clientOptions.tls = client
        return try Pair(medium, server: serverOptions, client: clientOptions)
    }

    /// How a call fails for which there is no connection.
    func failure(_ medium: Medium = .tcp) async throws -> String {
        let pair = try pair(medium)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.progress == .notConnected)
        let address = pair.running.addresses[0]
        await pair.close()
        #expect(pair.running.counts.handshakes == 0)
        let message = error?.message ?? ""
        for prefix in ["connect \(address) with TLS: ", "\(address): "] where message.hasPrefix(prefix) {
            return String(message.dropFirst(prefix.count))
        }
        return message
    }
}

@Suite struct TLSCallTests {
    @Test(arguments: Medium.allCases)
    func `all four kinds of calls pass over TLS`(_ medium: Medium) async throws {
        let pair = try SecureSetup().pair(medium)
        let answer = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        let stream = try await pair.channel.serverStreaming(
            EchoService.Methods.repeatTimes, MessageBytes([0x27, 0x10]))
        var next = 0
        for try await message in stream {
            #expect(message.text == "\(next)")
            next += 1
        }
        #expect(next == 10_000)
        let count = try await pair.channel.clientStreaming(EchoService.Methods.count) { writer in
            for _ in 0..<10_000 { try await writer.write(MessageBytes("x")) }
        }
        #expect(count.message.text == "10000")
        let chat = pair.channel.bidirectional(EchoService.Methods.chat)
        try await chat.requests.write(MessageBytes("0"))
        let responses = try await chat.responses()
        #expect(try await responses.next()?.text == "0")
        chat.requests.finish()
        #expect(try await responses.next() == nil)
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `messages of four megabytes pass both ways at once`(_ medium: Medium) async throws {
        let pair = try SecureSetup().pair(medium)
        let big = MessageBytes((0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask { try await pair.channel.unary(EchoService.Methods.echo, big).message == big }
            }
            for try await isEqual in group { #expect(isEqual) }
        }
        await pair.close()
    }

    @Test func `calls say for whom they are`() {
        let tls = ClientTLS()
        #expect(tls.authority(for: .host("a.example", port: 50051)) == "a.example:50051")
        #expect(tls.authority(for: .host("::1", port: 443)) == "[::1]:443")
        #expect(tls.authority(for: .unix(path: "/run/x.sock")) == "localhost")
        #expect(ClientTLS(serverName: "b.example").authority(for: .host("a.example", port: 1)) == "b.example")
    }

    // MARK: One side without TLS

    @Test(arguments: Medium.allCases)
    func `a channel without TLS learns that the server has it`(_ medium: Medium) async throws {
        let failures = Notes()
        var setup = try SecureSetup()
        setup.server.onEvent = { failures.add("\($0)") }
        var options = ServerOptions()
        options.tls = setup.server
        let pair = try Pair(medium, server: options)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.echo, MessageBytes(""))
        }
        #expect(error?.code == .unavailable)
        let message = error?.message ?? ""
        #expect(message.hasSuffix("the server speaks TLS and this channel does not: set TransportOptions.tls"))
        await pair.close()
        // The channel may have tried again meanwhile.
        #expect(!failures.all.isEmpty)
        for failure in failures.all {
            #expect(failure.contains("the client speaks HTTP/2 without TLS, and this port with it"))
        }
    }

    @Test(arguments: Medium.allCases)
    func `a channel with TLS learns that the server has none`(_ medium: Medium) async throws {
        let setup = try SecureSetup()
        var options = TransportOptions()
        options.tls = setup.client
        let pair = try Pair(medium, client: options)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.echo, MessageBytes(""))
        }
        #expect(error?.code == .unavailable)
        let address = pair.running.addresses[0]
        #expect(error?.message == "connect \(address) with TLS: the server does not speak TLS")
        await pair.close()
    }
}

/// Texts that come in on any thread.
final class Notes: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }
    func add(_ text: String) { texts.withLock { $0.append(text) } }
}
