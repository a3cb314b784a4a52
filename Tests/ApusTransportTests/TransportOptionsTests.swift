// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Testing

@testable import ApusTransport

/// What a channel's options do to its connections.
@Suite struct TransportOptionsTests {
    @Test(arguments: [("", "grpc-swift-apus/"), ("shop/1.2 (beta)", "shop/1.2 (beta) grpc-swift-apus/")])
    func `a prefix stands in front of the library's user-agent`(_ prefix: String, _ start: String) async throws {
        let listener = try RawListener()
        var options = TransportOptions()
        options.userAgentPrefix = prefix
        let channel = Channel("echo", interceptors: [ToEndpoint(listener.address)], options: options)
        let fields = Script {
            let peer = try RawPeer.server(on: listener)
            while let frame = try peer.nextOfStreams() {
                if frame.kind == .headers { return RawHeaderDecoder().decode(frame.payload) }
            }
            return [:]
        }
        let call = Task { try await channel.unary(EchoService.Methods.echo, MessageBytes("x")) }
        #expect(try await fields.value["user-agent"]?.hasPrefix(start) == true)
        call.cancel()
        _ = await call.result
        channel.close()
    }

    @Test(arguments: ["a\r\nx: y", "caf\u{e9}", "\u{0}"])
    func `a prefix that no header can carry fails every call`(_ prefix: String) async {
        var options = TransportOptions()
        options.userAgentPrefix = prefix
        let channel = Channel("echo", interceptors: [ToEndpoint(.memory("x"))], options: options)
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(EchoService.Methods.echo, MessageBytes("x"))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("a user-agent prefix must be printable ASCII") == true)
    }

    @Test func `the figures are gRPC's`() {
        let options = TransportOptions()
        #expect(options.connectTimeout == .seconds(20))
        #expect(options.idleTimeout == .seconds(1800))
        #expect(options.acknowledgementTimeout == .seconds(20))
        #expect(options.handshakeTimeout == .seconds(10))
        #expect(options.maximumConnectionsPerEndpoint == 1)
        #expect(options.proxy == .environment)
        #expect(options.tls == nil && options.keepalive == nil)
    }

    @Test func `a socket dialer gives a connection its time and no more`() {
        let loop = ManualLoop()
        let network = PlayedNetwork()
        let dialer = SocketDialer(connectTimeout: .seconds(3), acknowledgementTimeout: nil, network: network)
        let reason = Reason()
        let dialing = dialer.dial(.host("10.0.0.1", port: 1), on: loop) {
            if case .failure(let failure) = $0 { reason.text = failure.reason }
        }
        loop.advance(by: .milliseconds(2999))
        #expect(reason.text == nil)
        loop.advance(by: .milliseconds(1))
        #expect(reason.text == "connect 10.0.0.1:1: no answer within 3.0 seconds")
        dialing.cancel()
    }

    private final class Reason: @unchecked Sendable {
        var text: String?
    }

    #if os(Linux)
        @Test(arguments: [Duration.seconds(7), nil])
        func `TCP gives up on bytes that stay unacknowledged`(_ limit: Duration?) async throws {
            var options = TransportOptions()
            options.acknowledgementTimeout = limit
            let pair = try Pair(.tcp, client: options)
            try await pair.expectGoodService()
            guard case .host(_, let port) = pair.running.addresses[0] else { return }
            #expect(Self.userTimeout(ofConnectionTo: port) == limit.map { CUnsignedInt($0 / .milliseconds(1)) } ?? 0)
            await pair.close()
        }

        // The option of this process' socket whose other end is the server's port.
        private static func userTimeout(ofConnectionTo port: Int) -> CUnsignedInt? {
            for descriptor: Int32 in 0..<4096 {
                var name = sockaddr_in()
                var size = socklen_t(MemoryLayout<sockaddr_in>.size)
                let found = withUnsafeMutablePointer(to: &name) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
                }
                guard found == 0, name.sin_family == sa_family_t(AF_INET), Int(UInt16(bigEndian: name.sin_port)) == port
                else { continue }
                var value: CUnsignedInt = 0
                var length = socklen_t(MemoryLayout<CUnsignedInt>.size)
                guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, &length) == 0 else {
                    continue
                }
                return value
            }
            return nil
        }
    #endif
}
