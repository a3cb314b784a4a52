// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Foundation
import Testing

@testable import ApusTransport

/// Where a server listens, and what it says when it cannot.
@Suite(.timeLimit(.minutes(10))) struct ListenerTests {
    private func serving(_ targets: [ListenTarget]) throws -> RunningServer {
        try Server([EchoService()]).start(listeningOn: targets)
    }

    private func failure(_ targets: [ListenTarget]) -> RPCError? {
        #expect(throws: RPCError.self) { _ = try serving(targets) }
    }

    private func expectEcho(at address: Endpoint.Address) async throws {
        let channel = Channel("echo", interceptors: [ToEndpoint(address)])
        let answer = try await channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        channel.close()
    }

    private func port(_ address: Endpoint.Address) throws -> Int {
        guard case .host(_, let port) = address else { throw RawSocket.Failure(what: "not TCP: \(address)") }
        return port
    }

    // MARK: TCP

    @Test(arguments: ["127.0.0.1", "::1"])
    func `an address with port 0 gets a port of its own, which is told`(_ host: String) async throws {
        let running = try serving([.address(.host(host, port: 0)), .address(.host(host, port: 0))])
        let ports = try running.addresses.map(port)
        #expect(ports.count == 2 && Set(ports).count == 2 && !ports.contains(0))
        for port in ports { try await expectEcho(at: .host(host, port: port)) }
        await running.stop()
    }

    @Test func `the address of both families takes both, and IPv4 clients are seen as such`() async throws {
        let peers = PeerService()
        let running = try Server([EchoService(), peers]).start(listeningOn: [.address(.host("::", port: 0))])
        let port = try port(running.addresses[0])
        for host in ["127.0.0.1", "::1"] {
            try await expectEcho(at: .host(host, port: port))
            #expect(
                try await peers.seen(by: .host(host, port: port)).hasPrefix(host.contains(":") ? "[::1]:" : "\(host):"))
        }
        await running.stop()
    }

    @Test func `the address of both families takes IPv6 alone when told to`() async throws {
        var target = ListenTarget.address(.host("::", port: 0))
        target.takesIPv6Only = true
        let running = try serving([target])
        let port = try port(running.addresses[0])
        try await expectEcho(at: .host("::1", port: port))
        await #expect(throws: RPCError.self) { try await expectEcho(at: .host("127.0.0.1", port: port)) }
        await running.stop()
    }

    @Test func `a host's name is looked up, and its addresses share a port`() async throws {
        let running = try serving([.address(.host("localhost", port: 0))])
        #expect(running.addresses.first?.description.hasPrefix("127.0.0.1:") == true)
        let ports = try running.addresses.map(port)
        #expect(Set(ports).count == 1)
        for address in running.addresses { try await expectEcho(at: address) }
        await running.stop()
    }

    @Test(arguments: [
        (Endpoint.Address.host("", port: 1), "cannot listen on :1: give a host and a port from 0 to 65535"),
        (
            .host("127.0.0.1", port: 65_536),
            "cannot listen on 127.0.0.1:65536: give a host and a port from 0 to 65535"
        ),
        (.host("192.0.2.1", port: 0), "cannot listen on 192.0.2.1:0: address not available"),
        (
            .memory("users"), "cannot listen on memory:users: such an address belongs to an InMemoryNetwork"
        ),
        (.unix(path: ""), "cannot listen on unix:: no Unix domain socket can have this name"),
        (
            .unix(path: "/no/such/folder/x.sock"),
            "cannot listen on unix:/no/such/folder/x.sock: no such file or directory"
        ),
    ])
    func `an address that cannot be had is named with the reason`(_ address: Endpoint.Address, _ text: String) {
        #expect(failure([.address(address)])?.message == text)
    }

    @Test func `a name without an address is named`() {
        let error = failure([.address(.host("no-such-host.invalid", port: 1))])
        #expect(error?.code == .unavailable)
        #expect(
            error?.message.hasPrefix("cannot listen on no-such-host.invalid:1: look up no-such-host.invalid: ") == true)
    }

    @Test func `when one address is in use none is listened on`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        let first = try serving([.address(.host("127.0.0.1", port: 0))])
        let used = first.addresses[0]
        let error = failure([.address(.unix(path: path)), .address(used)])
        #expect(error?.message == "cannot listen on \(used): address already in use")
        // The server that did not come about goes on its own time.
        await eventually { !FileManager.default.fileExists(atPath: path) }
        await first.stop()
    }

    @Test func `a shared port has a listening socket for each loop and for other servers`() async throws {
        var target = ListenTarget.address(.host("127.0.0.1", port: 0))
        target.sharesPort = true
        var options = ServerOptions()
        options.eventLoops = try EventLoops(count: 3)
        let one = try Server([EchoService()]).start(listeningOn: [target], options: options)
        #expect(one.addresses.count == 1)
        var again = ListenTarget.address(one.addresses[0])
        again.sharesPort = true
        let other = try Server([EchoService()]).start(listeningOn: [again], options: options)
        // The system distributes connections by their ports: 64 of them reach all six sockets, nearly always.
        for _ in 0..<64 { try await expectEcho(at: one.addresses[0]) }
        #expect(one.counts.calls + other.counts.calls == 64)
        #expect(one.counts.calls > 0 && other.counts.calls > 0)
        await one.stop()
        for _ in 0..<16 { try await expectEcho(at: other.addresses[0]) }
        await other.stop()
        #expect(one.counts.connections == 0 && other.counts.connections == 0)
    }

    // MARK: Descriptors

    @Test func `a listener without descriptors rests between its tries, and goes on by itself`() async throws {
        let loop = try #require(try EventLoops(count: 1).loops.first)
        let socket = try #require(try ListeningSocket.open(.address(.host("127.0.0.1", port: 0)), loops: 1).first)
        let poor = PoorSystem(socket.descriptor, failures: 3)
        let served = Latch()
        let events = EventRecorder()
        let listener = loop.perform {
            Confined(
                try? Listener(socket, loop: loop, system: poor.system) { accepted in
                    SystemCalls.close(accepted.descriptor)
                    served.countDown()
                } tell: {
                    events.serverEvent($0)
                })
        }
        let client = try await script { try RawSocket(connectingTo: socket.address) }
        await served.wait()
        let tries = loop.perform { poor.tries }
        #expect(tries.count >= 4)
        for (earlier, later) in zip(tries, tries.dropFirst()).prefix(3) {
            #expect(earlier.duration(to: later) >= AcceptQueue.pause)
        }
        #expect(
            events.all == [
                .outOfDescriptors(listener: socket.address),
                .descriptorsAvailable(listener: socket.address, refused: 0),
            ])
        loop.perform { listener.value?.close() }
        client.close()
    }

    // MARK: Unix domain sockets

    @Test func `a Unix domain socket serves, and its file goes with the server`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        let running = try serving([.address(.unix(path: path))])
        #expect(running.addresses == [.unix(path: path)])
        try await expectEcho(at: .unix(path: path))
        await running.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a socket's file gets the permissions that it should have`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        var target = ListenTarget.address(.unix(path: path))
        target.permissions = 0o620
        let running = try serving([target])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o620)
        await running.stop()
    }

    @Test func `the file of a server that was killed is replaced`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        try RawSocket.leaveSocketFile(path)
        #expect(FileManager.default.fileExists(atPath: path))
        let running = try serving([.address(.unix(path: path))])
        try await expectEcho(at: .unix(path: path))
        await running.stop()
    }

    @Test func `the socket of a server that lives is not taken from it`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        let running = try serving([.address(.unix(path: path))])
        #expect(
            failure([.address(.unix(path: path))])?.message == "cannot listen on unix:\(path): address already in use")
        try await expectEcho(at: .unix(path: path))
        await running.stop()
    }

    @Test func `a file that is no socket stays`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        try Data("precious".utf8).write(to: URL(filePath: path))
        #expect(
            failure([.address(.unix(path: path))])?.message
                == "cannot listen on unix:\(path): there is a file that is no socket")
        #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
    }

    @Test func `a server that stops leaves the file of its successor alone`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/x.sock"
        let old = try serving([.address(.unix(path: path))])
        try FileManager.default.removeItem(atPath: path)
        let new = try serving([.address(.unix(path: path))])
        await old.stop()
        try await expectEcho(at: .unix(path: path))
        await new.stop()
    }

    @Test func `a path that is too long is refused on both sides, never cut`() async throws {
        let path = "/tmp/" + String(repeating: "x", count: 200)
        #expect(failure([.address(.unix(path: path))])?.code == .invalidArgument)
        let error = await #expect(throws: RPCError.self) { try await expectEcho(at: .unix(path: path)) }
        #expect(error?.message == "connect unix:\(path): name too long")
    }

    #if os(Linux)
        @Test func `an abstract socket serves and needs no file`() async throws {
            let name = "apus/test/\(UUID().uuidString)"
            let running = try serving([.address(.unixAbstract(name: name))])
            #expect(running.addresses == [.unixAbstract(name: name)])
            try await expectEcho(at: .unixAbstract(name: name))
            #expect(
                failure([.address(.unixAbstract(name: name))])?.message
                    == "cannot listen on unix-abstract:\(name): address already in use")
            await running.stop()
            let error = await #expect(throws: RPCError.self) { try await expectEcho(at: .unixAbstract(name: name)) }
            #expect(error?.message == "connect unix-abstract:\(name): connection refused")
        }
    #endif
}

/// Something that one loop touches.
private struct Confined<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// A process that has no descriptors left for a while, not even one in reserve. Used on one loop.
private final class PoorSystem: @unchecked Sendable {
    private(set) var tries: [MonotonicInstant] = []
    private let listener: Int32
    private let failures: Int

    init(_ listener: Int32, failures: Int) {
        self.listener = listener
        self.failures = failures
    }

    var system: AcceptQueue.System {
        AcceptQueue.System { [self] in
            tries.append(SystemClock().now)
            return tries.count <= failures ? (-EMFILE, nil) : SystemCalls.acceptSocket(listener)
        } openReserve: {
            -EMFILE
        } close: {
            SystemCalls.close($0)
        }
    }
}

/// A service that tells whom it sees.
struct PeerService: Service {
    private static let who = BytesMethod(service: "test.Peer", name: "Who", kind: .unary)

    var routes: [Route] { [.unary(Self.who) { _, call in MessageBytes("\(call.peer)") }] }

    func seen(by server: Endpoint.Address, options: TransportOptions = TransportOptions()) async throws -> String {
        let channel = Channel("peer", interceptors: [ToEndpoint(server)], options: options)
        defer { channel.close() }
        return try await channel.unary(Self.who, MessageBytes("")).message.text
    }
}
