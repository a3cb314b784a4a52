// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusEtcd
import Synchronization
import Testing

@testable import ApusCLI

struct EtcdLedgerTests {
    private func read(_ key: String, _ value: String) -> InstanceRow? {
        EtcdLedger.row(Array(key.utf8), Array(value.utf8))
    }

    private func entry(_ port: Int) -> String { "{\"Addr\": \"10.0.0.7:\(port)\"}" }

    private func ledger(
        _ etcd: ScriptedKV, _ options: EtcdOptions = EtcdOptions()
    ) throws -> (ledger: EtcdLedger, server: RunningServer) {
        let server = try Server([etcd]).start(on: .host("127.0.0.1", port: 0))
        return (EtcdLedger(server.addresses, options, page: 2), server)
    }

    @Test func `all pages are read, of one service or of all`() async throws {
        let users = (1...5).map { ("users/u\($0)", entry($0)) }
        let others = [("users2/x", entry(9)), ("zebra", "stripes")]
        let etcd = ScriptedKV(Dictionary(uniqueKeysWithValues: users + others))
        let (ledger, server) = try ledger(etcd)
        #expect(try await ledger.rows(of: "users").map(\.id) == ["u1", "u2", "u3", "u4", "u5"])
        #expect(etcd.ranges.load(ordering: .relaxed) == 3)
        #expect(
            try await ledger.rows(of: nil).map(\.service) == ["users", "users", "users", "users", "users", "users2"])
        await server.stop()
    }

    @Test func `a part of the keys is not told as the whole`() async throws {
        let etcd = ScriptedKV(Dictionary(uniqueKeysWithValues: (1...5).map { ("users/u\($0)", entry($0)) }))
        let server = try Server([etcd]).start(on: .host("127.0.0.1", port: 0))
        let short = EtcdLedger(server.addresses, EtcdOptions(), page: 2, maximumKeys: 4)
        let mistake = await #expect(throws: Mistake.self) { try await short.rows(of: nil) }
        #expect(mistake?.text == "the registry has more than 4 keys: name a service")
        let enough = EtcdLedger(server.addresses, EtcdOptions(), page: 2, maximumKeys: 5)
        #expect(try await enough.rows(of: nil).count == 5)
        await server.stop()
    }

    @Test func `who is drained has no key any more`() async throws {
        let etcd = ScriptedKV(["users/u1": entry(1), "users/u11": entry(2)])
        let (ledger, server) = try ledger(etcd)
        let row = try #require(try await ledger.rows(of: "users").first { $0.id == "u1" })
        try await ledger.drain(row, undo: false)
        #expect(etcd.names == ["users/u11"])
        await #expect(throws: Mistake.self) { try await ledger.drain(row, undo: true) }
        await server.stop()
    }

    @Test func `a user logs in first`() async throws {
        let etcd = ScriptedKV(["users/u1": entry(1)], token: "t0k")
        var options = EtcdOptions()
        options.user = EtcdOptions.User("root", password: "secret")
        let (known, server) = try ledger(etcd, options)
        #expect(try await known.rows(of: nil).count == 1)
        await server.stop()
        let (unknown, other) = try ledger(etcd)
        let error = await #expect(throws: RPCError.self) { try await unknown.rows(of: nil) }
        #expect(error?.code == .unauthenticated)
        await other.stop()
    }

    @Test func `a key of ours tells service, weight and metadata`() throws {
        let value = """
            {"Op": 0, "Addr": "10.0.0.7:1", "Metadata": {"zone": "b", "apus": {"service": "a/b", "weight": 2}}}
            """
        let row = try #require(read("a/b/c/d", value))
        #expect((row.service, row.id, row.address, row.weight) == ("a/b", "c/d", "10.0.0.7:1", 2))
        #expect(row.metadata == ["zone": "b"])
    }

    @Test func `a key that a program in Go has put is one, too`() throws {
        let row = try #require(read("users/10.0.0.7:1", #"{"Op":0,"Addr":"10.0.0.7:1","Metadata":null}"#))
        #expect((row.service, row.id, row.weight) == ("users", "10.0.0.7:1", 1))
    }

    @Test(arguments: [("users", #"{"Addr":"h:1"}"#), ("users/1", "hello"), ("users/1", "{}"), ("users/1", "[1]")])
    func `other keys are none`(key: String, value: String) { #expect(read(key, value) == nil) }
}
