// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ParrotSupport
import Testing

@testable import ApusCLI

struct DirectoryLedgerTests {
    private let scratch: Scratch
    private let registry: DirectoryRegistry
    private let ledger: DirectoryLedger

    init() throws {
        scratch = try Scratch()
        registry = DirectoryRegistry(path: scratch.path, lease: .seconds(3600))
        ledger = DirectoryLedger(root: scratch.path)
    }

    private func register(_ service: String, _ id: String, _ port: Int) async throws {
        let endpoint = Endpoint(host: "127.0.0.1", port: port, metadata: ["zone": "b"], weight: 2)
        _ = try await registry.register(ServiceInstance(service: service, id: id, endpoint: endpoint))
    }

    @Test func `it tells what a registry wrote`() async throws {
        try await register("users", "u1", 1)
        try await register("a/b", "../x", 2)
        let rows = try await ledger.rows(of: nil)
        #expect(Set(rows.map(\.id)) == ["u1", "../x"])
        let row = try #require(try await ledger.rows(of: "users").first)
        #expect((row.address, row.state, row.weight) == ("127.0.0.1:1", .live, 2))
        #expect(row.metadata == ["zone": "b"])
        #expect(try await ledger.rows(of: "nobody") == [])
        await registry.close()
    }

    @Test func `who is drained is left by clients, and comes back`() async throws {
        try await register("users", "u1", 1)
        let row = try #require(try await ledger.rows(of: "users").first)
        let (updates, sink) = AsyncStream<[Endpoint]>.makeStream()
        let watch = registry.watch("users") { if case .success(let list) = $0 { sink.yield(list) } }
        var iterator = updates.makeAsyncIterator()
        #expect(await iterator.next()?.count == 1)
        try await ledger.drain(row, undo: false)
        #expect(await iterator.next()?.count == 0)
        #expect(try await ledger.rows(of: "users").first?.state == .draining)
        try await ledger.drain(row, undo: true)
        #expect(await iterator.next()?.count == 1)
        watch.cancel()
        await registry.close()
    }

    @Test func `an entry that is drained keeps its owner, its permissions and its age`() async throws {
        try await register("users", "u1", 1)
        await registry.close()
        let file = try scratch.write(
            #"{"service": "users", "id": "u2", "address": "h:1", "leaseMilliseconds": 3600000}"#, to: "users/u2.json")
        let manager = FileManager.default
        var wanted: [FileAttributeKey: Any] = [
            .modificationDate: Date(timeIntervalSince1970: (Date().timeIntervalSince1970 - 600).rounded()),
            .posixPermissions: 0o640,
        ]
        // Only root may give files away.
        if getuid() == 0 { wanted[.ownerAccountID] = 12345 }
        try manager.setAttributes(wanted, ofItemAtPath: file)
        let before = try manager.attributesOfItem(atPath: file)
        let row = try #require(try await ledger.rows(of: "users").first { $0.id == "u2" })
        try await ledger.drain(row, undo: false)
        let after = try manager.attributesOfItem(atPath: file)
        #expect(try await ledger.rows(of: "users").first { $0.id == "u2" }?.state == .draining)
        for key in [FileAttributeKey.modificationDate, .posixPermissions, .ownerAccountID, .groupOwnerAccountID] {
            #expect(after[key] as? NSObject == before[key] as? NSObject, "\(key)")
        }
        let names = try manager.contentsOfDirectory(atPath: scratch.path + "/users")
        #expect(names.allSatisfy { !$0.hasPrefix(".tmp") })
    }

    @Test func `files that are no entries are left out, and a folder that is not there is a mistake`() async throws {
        try FileManager.default.createDirectory(atPath: scratch.path + "/users", withIntermediateDirectories: true)
        _ = try scratch.write("hello", to: "users/x.json")
        _ = try scratch.write("{\"service\": 3}", to: "users/y.json")
        #expect(try await ledger.rows(of: nil) == [])
        await #expect(throws: Mistake.self) { try await DirectoryLedger(root: "/none").rows(of: nil) }
        await registry.close()
    }

    @Test func `an entry that nobody renewed is expired`() async throws {
        try await register("users", "u1", 1)
        let file = scratch.path + "/users/u1.json"
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: file)
        let row = try #require(try await ledger.rows(of: "users").first)
        #expect(row.state == .expired)
        // Drained, it would come back to life for a lease.
        let mistake = await #expect(throws: Mistake.self) { try await ledger.drain(row, undo: false) }
        #expect(mistake?.text.contains("expired") == true)
        #expect(try await ledger.rows(of: "users").first?.state == .expired)
        await registry.close()
    }
}
