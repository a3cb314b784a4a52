// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusDiscovery

struct RegistryEntryTests {
    private let good: [String: JSON] = [
        "service": .string("users"), "id": .string("u1"), "address": .string("127.0.0.1:50051"), "weight": .number(2),
        "metadata": .object(["zone": .string("b")]), "leaseMilliseconds": .number(10_000),
    ]

    private func decode(_ members: [String: JSON]) throws(RegistryEntry.Problem) -> RegistryEntry {
        try RegistryEntry(decoding: Array(JSON.object(members).text.utf8))
    }

    @Test func `an entry is JSON that people can read`() throws {
        let endpoint = Endpoint(host: "127.0.0.1", port: 50051, metadata: ["zone": "b"], weight: 2)
        let entry = RegistryEntry(
            ServiceInstance(service: "users", id: "u1", endpoint: endpoint), lease: .seconds(10))
        let text = """
            {
              "address": "127.0.0.1:50051",
              "id": "u1",
              "leaseMilliseconds": 10000,
              "metadata": {"zone": "b"},
              "service": "users",
              "weight": 2
            }

            """
        #expect(String(decoding: try entry.encoded(), as: UTF8.self) == text)
        #expect(try decode(good) == entry)
    }

    @Test func `weight and metadata may be missing, and unknown fields are ignored`() throws {
        var members = good
        members["weight"] = nil
        members["metadata"] = nil
        members["colour"] = .string("blue")
        let entry = try decode(members)
        #expect(entry.instance.endpoint == Endpoint(host: "127.0.0.1", port: 50051))
    }

    @Test(arguments: [
        ("service", JSON?.none), ("service", .number(1)), ("service", .string("")), ("id", nil), ("id", .null),
        ("address", nil), ("address", .string("nowhere")), ("address", .string("host:99999")),
        ("address", .array([])), ("weight", .number(-1)), ("weight", .string("1")), ("metadata", .string("")),
        ("metadata", .object(["a": .number(1)])), ("leaseMilliseconds", nil), ("leaseMilliseconds", .number(0)),
        ("leaseMilliseconds", .number(1e300)), ("leaseMilliseconds", .string("10000")), ("draining", .number(1)),
    ])
    func `a wrong field is a problem that names it`(field: String, value: JSON?) {
        var members = good
        members[field] = value
        let problem = #expect(throws: RegistryEntry.Problem.self) { try decode(members) }
        #expect(problem?.text.contains(field) == true)
    }

    @Test(arguments: ["", "hello", "[]", "{", "\u{0}\u{1}", "{\"service\": \"users\""])
    func `what is no JSON object is a problem`(text: String) {
        #expect(throws: RegistryEntry.Problem.self) { try RegistryEntry(decoding: Array(text.utf8)) }
    }

    @Test(arguments: [
        Endpoint(.memory("users")), Endpoint(host: "unix", port: 1), Endpoint(host: "", port: 1),
        Endpoint(host: "h", port: 70_000), Endpoint(host: "h", port: -1), Endpoint(host: "h", port: 1, weight: -1),
        Endpoint(host: "h", port: 1, weight: .infinity), Endpoint(host: "h", port: 1, weight: .nan),
        Endpoint(host: "h", port: 1, metadata: ["big": String(repeating: "x", count: 70_000)]),
    ])
    func `an endpoint that no reader could use is refused`(endpoint: Endpoint) {
        let entry = RegistryEntry(ServiceInstance(service: "users", id: "u1", endpoint: endpoint), lease: .seconds(1))
        let error = #expect(throws: RPCError.self) { try entry.encoded() }
        #expect(error?.code == .invalidArgument)
    }

    @Test(arguments: [
        ("users.v1.UserService", "users.v1.UserService"), ("a-b_c.9", "a-b_c.9"), ("..", "%2E."), (".", "%2E"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"), ("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("a\0b", "a%00b"),
        ("ü", "%C3%BC"), (" ", "%20"), (".tmp-1", "%2Etmp-1"), ("a\\b:c", "a%5Cb%3Ac"),
    ])
    func `a name becomes one file name, never a path`(name: String, encoded: String) {
        #expect(EntryName.encoded(name) == encoded)
    }

    @Test func `an empty name and a long one have no file name`() {
        #expect(EntryName.encoded("") == nil)
        #expect(EntryName.encoded(String(repeating: "a", count: 180)) != nil)
        #expect(EntryName.encoded(String(repeating: "a", count: 181)) == nil)
        #expect(EntryName.encoded(String(repeating: "/", count: 61)) == nil)
    }

    @Test func `different names have different file names, made of harmless characters`() {
        let random = SplitMixRandom(seed: 2)
        let scalars: [Unicode.Scalar] = ["a", ".", "/", "%", "2", "F", "\0", "é", "\\"]
        var names: [String: String] = [:]
        for _ in 0..<20_000 {
            var name = ""
            for _ in 0...random.index(below: 5) { name.unicodeScalars.append(scalars[random.index(below: 9)]) }
            guard let encoded = EntryName.encoded(name) else { continue }
            #expect(names.updateValue(name, forKey: encoded).map { Array($0.utf8) == Array(name.utf8) } != false)
            #expect(
                !encoded.hasPrefix(".") && !encoded.contains("/") && encoded.utf8.allSatisfy { $0 > 32 && $0 < 127 })
        }
    }
}
