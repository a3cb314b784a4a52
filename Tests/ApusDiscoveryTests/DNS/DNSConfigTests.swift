// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusDiscovery

@Suite(.timeLimit(.minutes(1))) struct DNSConfigTests {
    private static let client = ConfigChoices.Client(hostName: "Canary7", percentile: 20)
    private static let name = "_grpc_config.users"

    private static func choose(_ text: String) -> Result<[UInt8], RPCError> {
        ConfigChoices.document([Array("v=spf1".utf8), Array("grpc_config=\(text)".utf8)], client, name)
    }

    private static func choice(_ id: Int, _ members: String = "") -> String {
        #"{\#(members)"serviceConfig": {"id": \#(id)}}"#
    }

    private static let choices: [(members: [String], id: Int)] = [
        ([""], 1), ([#""clientLanguage": [], "#], 1), ([#""clientLanguage": ["go"], "#, ""], 2),
        ([#""clientLanguage": ["go", "Swift"], "#, ""], 1), ([#""percentage": 20, "#, #""percentage": 21, "#], 2),
        ([#""percentage": 0, "#, #""percentage": 100, "#], 2),
        ([#""clientHostname": ["other"], "#, #""clientHostname": ["canary7"], "#], 2),
        ([#""percentage": 50, "clientLanguage": ["java"], "#, ""], 2),
    ]

    @Test(arguments: choices)
    func `the first choice that is meant for the client counts`(members: [String], id: Int) throws {
        let choices = members.enumerated().map { Self.choice($0 + 1, $1) }
        let bytes = try Self.choose("[\(choices.joined(separator: ","))]").get()
        #expect(try JSONReader.read(bytes) == .object(["id": .number(Double(id))]))
    }

    @Test func `nothing is asked for without a choice for the client or without the record`() throws {
        #expect(try Self.choose(#"[{"clientLanguage": ["go"], "serviceConfig": {"id": 1}}]"#).get() == Array("{}".utf8))
        #expect(try Self.choose("[]").get() == Array("{}".utf8))
        #expect(try ConfigChoices.document([], Self.client, Self.name).get() == Array("{}".utf8))
    }

    private static let refusals: [(text: String, reason: String)] = [
        ("{}", " it is no list of choices"), ("[{]", "1:15: a member's name is missing"),
        ("[7]", " choice 0 is no object"), ("[{}]", " choice 0 has no serviceConfig that is an object"),
        (
            "[\(choice(1)), \(choice(2, #""percentage": 101, "#))]",
            " choice 1 has a percentage that is no whole number in 0...100"
        ),
        ("[\(choice(1, #""clientLanguage": "go", "#))]", " choice 0 has a clientLanguage that is no list"),
        ("[\(choice(1, #""clientHostname": [1], "#))]", " choice 0 has a clientHostname with no string"),
    ]

    @Test(arguments: refusals)
    func `a list that cannot be read is refused with its reason`(text: String, reason: String) {
        let error = #expect(throws: RPCError.self) { try Self.choose(text).get() }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "\(Self.name):\(reason)")
    }

    @Test func `documents follow the record, and each is told once`() async throws {
        let clock = ManualClock()
        let texts = Mutex<Result<[[UInt8]], RPCError>>(.success([Array("grpc_config=[\(Self.choice(1))]".utf8)]))
        let asked = Mutex<[String]>([])
        let lookUp = DNSLookUp { _ in
            .success([])
        } texts: { name in
            asked.withLock { $0.append(name) }
            return texts.withLock { $0 }
        }
        let config = try DNSConfig(
            "dns:///users:50051", every: .seconds(60), hostName: "h", random: SplitMixRandom(seed: 1), lookUp: lookUp,
            clock: clock)
        #expect(config.name == "_grpc_config.users")
        var documents = config.documents().makeAsyncIterator()
        let first = try await documents.next(isolation: #isolation)?.get()
        #expect(try first.map(JSONReader.read) == .object(["id": .number(1)]))
        // The same again is no news.
        await clock.waitForSleepers()
        clock.advance(by: .seconds(60))
        await clock.waitForSleepers()
        texts.withLock { $0 = .failure(RPCError(.unavailable, "down")) }
        clock.advance(by: .seconds(60))
        let second = await documents.next(isolation: #isolation)
        #expect(throws: RPCError.self) { try second?.get() }
        await clock.waitForSleepers()
        texts.withLock { $0 = .success([]) }
        clock.advance(by: .seconds(60))
        let third = try await documents.next(isolation: #isolation)?.get()
        #expect(third == Array("{}".utf8))
        #expect(asked.withLock { $0 } == [String](repeating: "_grpc_config.users", count: 4))
    }

    @Test func `a config comes over the wire from a name server`() async throws {
        let server = try ScriptedNameServer { query, _ in
            [AnswerBytes(to: query).text("grpc_config=[", Self.choice(5), "]").bytes]
        }
        let config = try DNSConfig("users", nameServers: [.host("127.0.0.1", port: server.port)])
        var documents = config.documents().makeAsyncIterator()
        let document = try await documents.next(isolation: #isolation)?.get()
        #expect(try document.map(JSONReader.read) == .object(["id": .number(5)]))
    }

    @Test func `a target that is no name is refused`() {
        let error = #expect(throws: RPCError.self) { try DNSConfig("dns:///") }
        #expect(error?.code == .invalidArgument)
    }
}
