// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusTransport

/// Which of a name's addresses are tried, and when. Source: RFC 8305.
@Suite struct ConnectorTests {
    private let loop = ManualLoop()
    private let network = PlayedNetwork()
    private let outcome = Outcome()

    private final class Outcome: @unchecked Sendable {
        var results: [Result<any ConnectionIO, ConnectFailure>] = []

        var reason: String? {
            guard results.count == 1, case .failure(let failure) = results[0] else { return nil }
            return failure.reason
        }

        var socket: (any ConnectionIO)? { results.count == 1 ? try? results[0].get() : nil }
    }

    private func connect(_ address: Endpoint.Address = .host("db.test", port: 1)) -> Connector {
        let outcome = outcome
        let connector = Connector(address, network: network, loop: loop, patience: .seconds(20)) {
            outcome.results.append($0)
        }
        connector.start()
        return connector
    }

    private static let six = ["::1", "::2", "::3"].map { Endpoint.Address.host($0, port: 1) }
    private static let four = ["1.1.1.1", "2.2.2.2"].map { Endpoint.Address.host($0, port: 1) }

    @Test func `families take turns, each in its own order`() {
        func order(_ addresses: [Endpoint.Address]) -> [Endpoint.Address] {
            AddressOrder.interleaved(addresses) { "\($0)".hasPrefix("[") }
        }
        #expect(
            order(Self.six + Self.four) == [Self.six[0], Self.four[0], Self.six[1], Self.four[1], Self.six[2]])
        #expect(order(Self.four + Self.six).first == Self.four[0])
        #expect(order(Self.six) == Self.six)
        #expect(order([]).isEmpty)
        #expect(order((0..<100).map { .host("10.0.0.\($0)", port: 1) }).count == 16)
    }

    @Test func `another address is tried every quarter of a second, and the first to connect wins`() {
        let connector = connect()
        network.found(Self.six + Self.four)
        #expect(network.tried == [Self.six[0]])
        loop.advance(by: .milliseconds(249))
        #expect(network.tried.count == 1)
        loop.advance(by: .milliseconds(1))
        #expect(network.tried == [Self.six[0], Self.four[0]])
        loop.advance(by: .milliseconds(250))
        #expect(network.tried.last == Self.six[1])
        let winner = ScriptedIO()
        network.answer(Self.four[0], .success(winner))
        #expect(outcome.socket === winner)
        #expect(network.cancelled == [Self.six[0], Self.six[1]])
        loop.advance(by: .seconds(60))
        #expect(network.tried.count == 3)
        #expect(loop.timerCount == 0)
        connector.cancel()
        #expect(!winner.isClosed)
    }

    @Test func `an address that fails is followed by the next at once`() {
        let connector = connect()
        network.found(Self.six + Self.four)
        network.answer(Self.six[0], .failure(ConnectFailure(reason: "no route")))
        #expect(network.tried == [Self.six[0], Self.four[0]])
        loop.advance(by: .milliseconds(249))
        #expect(network.tried.count == 2)
        loop.advance(by: .milliseconds(1))
        #expect(network.tried.count == 3)
        connector.cancel()
    }

    @Test func `when all have failed, the error tells of every one`() {
        let connector = connect()
        network.found([Self.six[0], Self.four[0]])
        loop.advance(by: .milliseconds(250))
        network.answer(Self.four[0], .failure(ConnectFailure(reason: "connect 1.1.1.1:1: refused")))
        #expect(outcome.results.isEmpty)
        network.answer(Self.six[0], .failure(ConnectFailure(reason: "connect [::1]:1: no route")))
        #expect(outcome.reason == "connect 1.1.1.1:1: refused; connect [::1]:1: no route")
        #expect(loop.timerCount == 0)
        connector.cancel()
    }

    @Test func `time that runs out ends all tries, and the error tells of those that failed`() {
        let connector = connect()
        network.found([Self.six[0], Self.four[0]])
        network.answer(Self.six[0], .failure(ConnectFailure(reason: "connect [::1]:1: no route")))
        loop.advance(by: .seconds(20))
        #expect(outcome.reason == "connect [::1]:1: no route; connect db.test:1: no answer within 20.0 seconds")
        #expect(network.cancelled == [Self.four[0]])
        connector.cancel()
    }

    @Test func `a look-up that takes too long ends the try, and its late answer is not heard`() {
        let connector = connect()
        loop.advance(by: .seconds(20))
        #expect(outcome.reason == "connect db.test:1: no answer within 20.0 seconds")
        network.found(Self.four)
        #expect(network.tried.isEmpty && outcome.results.count == 1)
        connector.cancel()
    }

    @Test func `a look-up that fails says so`() {
        let connector = connect()
        network.lookUpFailed("look up db.test: unknown node")
        #expect(outcome.reason == "look up db.test: unknown node")
        connector.cancel()
    }

    @Test func `numeric addresses and paths are not looked up`() {
        let connectors = [connect(Self.six[0]), connect(Self.four[0]), connect(.unix(path: "/x"))]
        #expect(network.tried == [Self.six[0], Self.four[0], .unix(path: "/x")])
        #expect(network.lookUps == 0)
        for connector in connectors { connector.cancel() }
    }

    @Test func `an answer that comes before the try has returned is heard`() {
        network.answersAtOnce = .failure(ConnectFailure(reason: "no"))
        let failing = connect()
        network.found(Self.four)
        #expect(outcome.reason == "no; no")
        #expect(network.tried == Self.four)
        failing.cancel()
    }

    @Test func `who gives up gets no answer, and nothing goes on`() {
        let connector = connect()
        network.found(Self.six)
        connector.cancel()
        loop.advance(by: .seconds(60))
        #expect(outcome.results.isEmpty)
        #expect(network.tried.count == 1 && network.cancelled.count == 1)
        #expect(loop.timerCount == 0)
    }

    @Test(arguments: [
        ("1.2.3.4", [1, 2, 3, 4]), ("::1", [UInt8](repeating: 0, count: 15) + [1]),
        ("fe80::2:3", [0xfe, 0x80] + [UInt8](repeating: 0, count: 11) + [2, 0, 3]),
    ])
    func `an address has its bytes`(_ host: String, _ bytes: [UInt8]) {
        #expect(SocketAddress(host: host, port: 80)?.bytes == bytes)
        #expect(SocketAddress(host: host, port: 80)?.scopedAddress == .host(host, port: 80))
    }

    #if os(Linux)
        @Test func `an address of one interface keeps its name`() {
            let address = SocketAddress(host: "fe80::1%lo", port: 80)
            #expect(address?.scopedAddress == .host("fe80::1%lo", port: 80))
            #expect(address?.address == .host("fe80::1", port: 80))
        }
    #endif

    @Test func `a name is looked up off the loop and connected to`() async throws {
        let running = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0))
        guard case .host(_, let port) = running.addresses[0] else { return }
        // Most systems list ::1 first, where nobody listens.
        let channel = Channel("echo", interceptors: [ToEndpoint(.host("localhost", port: port))])
        #expect(try await channel.unary(EchoService.Methods.echo, MessageBytes("found")).message.text == "found")
        channel.close()
        await running.stop()
    }

    @Test func `a port where nobody listens is told with its address`() async throws {
        let listener = try RawListener()
        guard case .host(_, let port) = listener.address else { return }
        listener.close()
        let channel = Channel("echo", interceptors: [ToEndpoint(.host("127.0.0.1", port: port))])
        #expect(
            await BadServerTests.outcome(channel) == "UNAVAILABLE: connect 127.0.0.1:\(port): connection refused")
        channel.close()
    }
}

/// A network whose names and connections a test plays. Sendable: used by one test's task alone.
final class PlayedNetwork: SocketNetwork, @unchecked Sendable {
    private final class Try: Dialing {
        let onCancel: () -> Void
        init(_ onCancel: @escaping () -> Void) { self.onCancel = onCancel }
        func cancel() { onCancel() }
    }

    private var lookUpAnswer: ((Result<[Endpoint.Address], ConnectFailure>) -> Void)?
    private var answers: [Endpoint.Address: (Result<any ConnectionIO, ConnectFailure>) -> Void] = [:]
    private(set) var lookUps = 0
    private(set) var tried: [Endpoint.Address] = []
    private var cancelledSet: Set<Endpoint.Address> = []
    /// What every try is answered with before it returns; nil leaves that to the test.
    var answersAtOnce: Result<any ConnectionIO, ConnectFailure>?

    /// In the order in which they were tried.
    var cancelled: [Endpoint.Address] { tried.filter { cancelledSet.contains($0) } }

    func lookUp(
        _ host: String, port: Int, on loop: any EventLoop,
        answer: @escaping (Result<[Endpoint.Address], ConnectFailure>) -> Void
    ) -> any Dialing {
        lookUps += 1
        lookUpAnswer = answer
        return Try {}
    }

    func connect(
        to address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        tried.append(address)
        if let answersAtOnce { answer(answersAtOnce) } else { answers[address] = answer }
        return Try { self.cancelledSet.insert(address) }
    }

    func isIPv6(_ host: String) -> Bool? { UVNetwork().isIPv6(host) }

    func found(_ addresses: [Endpoint.Address]) { answerLookUp(.success(addresses)) }
    func lookUpFailed(_ reason: String) { answerLookUp(.failure(ConnectFailure(reason: reason))) }

    private func answerLookUp(_ result: Result<[Endpoint.Address], ConnectFailure>) {
        let answer = lookUpAnswer
        lookUpAnswer = nil
        answer?(result)
    }

    func answer(_ address: Endpoint.Address, _ result: Result<any ConnectionIO, ConnectFailure>) {
        answers.removeValue(forKey: address)?(result)
    }
}
