// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization
import Testing

@testable import ApusDiscovery

@Suite(.timeLimit(.minutes(1))) struct DNSLookUpTests {
    private static let long = String(repeating: "x", count: 250)

    @Test func `services and texts are asked for over UDP`() async throws {
        let server = try ScriptedNameServer { query, overTCP in
            guard !overTCP else { return [] }
            let isService = (try? DNSMessage(reading: query).question?.type) == .srv
            let answer = AnswerBytes(to: query)
            return [(isService ? answer.service("a.example", 80, priority: 1, weight: 2) : answer.text("x", "y")).bytes]
        }
        let lookUp = DNSLookUp.asking([server.server], timeout: .seconds(20), total: .seconds(120))
        let services = try await lookUp.services("_grpc._tcp.users").get()
        #expect(services == [ServiceRecord(priority: 1, weight: 2, port: 80, host: "a.example")])
        #expect(try await lookUp.texts("users").get() == [Array("xy".utf8)])
    }

    @Test func `an answer of more than 512 bytes comes over UDP`() async throws {
        let server = try ScriptedNameServer { query, overTCP in
            overTCP ? [] : [(0..<4).reduce(AnswerBytes(to: query)) { answer, _ in answer.text(Self.long) }.bytes]
        }
        let texts = try await DNSLookUp.asking([server.server], timeout: .seconds(20), total: .seconds(120)).texts(
            "users"
        ).get()
        #expect(texts == [[UInt8]](repeating: Array(Self.long.utf8), count: 4))
    }

    @Test func `what does not fit comes over TCP`() async throws {
        let server = try ScriptedNameServer { query, overTCP in
            guard overTCP else { return [AnswerBytes(to: query, truncated: true).bytes] }
            return [(0..<200).reduce(AnswerBytes(to: query)) { answer, _ in answer.text(Self.long) }.bytes]
        }
        let texts = try await DNSLookUp.asking([server.server], timeout: .seconds(20), total: .seconds(120)).texts(
            "users"
        ).get()
        #expect(texts.count == 200)
    }

    @Test func `answers of a stranger are passed over until the server's comes`() async throws {
        let server = try ScriptedNameServer { query, _ in
            var forged = AnswerBytes(to: query).text("forged").bytes
            forged[0] ^= 1
            return [forged, [1], [], AnswerBytes(to: query).text("good").bytes]
        }
        let texts = try await DNSLookUp.asking([server.server], timeout: .seconds(20), total: .seconds(120)).texts(
            "users"
        ).get()
        #expect(texts == [Array("good".utf8)])
    }

    @Test func `a server that is silent or refuses is left for the next one`() async throws {
        let silent = try ScriptedNameServer { _, _ in [] }
        let refusing = try ScriptedNameServer { query, _ in [AnswerBytes(to: query, code: 5).bytes] }
        let good = try ScriptedNameServer { query, _ in [AnswerBytes(to: query).text("good").bytes] }
        let servers = [NameServer(host: "no address"), refusing.server, good.server]
        let texts = try await DNSLookUp.asking(servers, timeout: .seconds(20), total: .seconds(120)).texts("users")
            .get()
        #expect(texts == [Array("good".utf8)])
        let failure = await DNSLookUp.asking([silent.server], timeout: .milliseconds(20)).texts("users")
        #expect(throws: RPCError.self) { try failure.get() }
        if case .failure(let error) = failure {
            #expect(error.code == .unavailable)
            #expect(error.message == "look up txt of users: 127.0.0.1: no answer came in time")
        }
    }

    @Test func `silent servers have two seconds in all, unless told otherwise`() async throws {
        let silent = try (0..<3).map { _ in try ScriptedNameServer { _, _ in [] } }
        let start = SystemClock().now
        let failure = await DNSLookUp.asking(silent.map(\.server), timeout: .seconds(30)).services("users")
        #expect(throws: RPCError.self) { try failure.get() }
        // Not the 180 s that they would have one by one: what a slow machine adds is far less.
        #expect(start.duration(to: SystemClock().now) < .seconds(60))
    }

    @Test func `servers that all refuse are told from those that fail`() async throws {
        func code(_ codes: [UInt16]) async throws -> Status.Code? {
            let servers = try codes.map { code in
                try ScriptedNameServer { query, _ in [AnswerBytes(to: query, code: code).bytes] }
            }
            let lookUp = DNSLookUp.asking(servers.map(\.server), timeout: .seconds(20), total: .seconds(120))
            guard case .failure(let error) = await lookUp.services("users") else { return nil }
            return error.code
        }
        #expect(try await code([5]) == .unimplemented)
        #expect(try await code([4, 5]) == .unimplemented)
        #expect(try await code([2]) == .unavailable)
        #expect(try await code([5, 2]) == .unavailable)
    }

    @Test func `a connection that ends in the middle is a failure of the server`() async throws {
        let server = try ScriptedNameServer { query, overTCP in
            overTCP ? [] : [AnswerBytes(to: query, truncated: true).bytes]
        }
        let failure = await DNSLookUp.asking([server.server], timeout: .seconds(20), total: .seconds(120)).texts(
            "users")
        guard case .failure(let error) = failure else {
            Issue.record("there was an answer")
            return
        }
        #expect(error.message.hasPrefix("look up txt of users: 127.0.0.1: "))
    }

    @Test func `a name without records has none, and what is no name is not asked for`() async throws {
        let asked = Atomic<Int>(0)
        let server = try ScriptedNameServer { query, _ in
            asked.wrappingAdd(1, ordering: .relaxed)
            return [AnswerBytes(to: query, code: 3).bytes]
        }
        let lookUp = DNSLookUp.asking([server.server], timeout: .seconds(20), total: .seconds(120))
        #expect(try await lookUp.services("_grpc._tcp.users").get().isEmpty)
        #expect(asked.load(ordering: .relaxed) == 1)
        await #expect(throws: RPCError.self) { try await lookUp.texts("a..b").get() }
        #expect(asked.load(ordering: .relaxed) == 1)
    }
}
