// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusEtcd
import ApusTestSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10)))
struct EtcdRegistryTests {
    private static let away = RPCError(.unavailable, "etcd is away")

    @Test func `what one process registers another sees, until it leaves`() async throws {
        try await EtcdPair.run { pair in
            let (watch, updates) = pair.b.watch()
            await updates.wait(forPorts: [])
            let first = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            let second = try await pair.a.register(2)
            await updates.wait(forPorts: [1, 2])
            await first.leave()
            await updates.wait(forPorts: [2])
            await second.leave()
            await updates.wait(forPorts: [])
            #expect(pair.etcd.store.withLock { $0.leases.isEmpty })
            watch.cancel()
        }
    }

    @Test func `a key that is there is not registered again, and no lease is left of the attempt`() async throws {
        try await EtcdPair.run { pair in
            let first = try await pair.a.register(1)
            for member in [pair.a, pair.b] {
                await #expect { try await member.register(1) } throws: { ($0 as? RPCError)?.code == .alreadyExists }
            }
            #expect(pair.etcd.store.withLock { $0.leases.count } == 1)
            await first.leave()
            try await pair.b.register(1).leave()
        }
    }

    @Test func `a lease that ended before the key was put is granted anew, once`() async throws {
        try await EtcdPair.run { pair in
            pair.etcd.store.withLock { $0.shortLeases = 1 }
            let registration = try await pair.a.register(1)
            #expect(pair.etcd.calls("LeaseGrant") == 2)
            await registration.leave()
            pair.etcd.store.withLock { $0.shortLeases = 2 }
            let error = await #expect(throws: RPCError.self) { try await pair.a.register(1) }
            #expect(error?.code == .notFound)
            #expect(pair.etcd.store.withLock { $0.leases.isEmpty })
        }
    }

    @Test func `a heartbeat comes three times in a lease`() async throws {
        try await EtcdPair.run { pair in
            let registration = try await pair.a.register(1)
            await pair.a.clock.waitForSleepers()
            pair.a.clock.advance(by: .milliseconds(3333))
            #expect(pair.a.clock.sleepers == 1)
            #expect(pair.etcd.calls("LeaseKeepAlive") == 0)
            for beat in 1...3 {
                await pair.a.advance(by: .milliseconds(3334))
                await pair.a.clock.waitForSleepers()
                #expect(pair.etcd.calls("LeaseKeepAlive") == beat)
            }
            await registration.leave()
        }
    }

    @Test func `a lease that etcd has lost is granted anew, and the key put again`() async throws {
        try await EtcdPair.run { pair in
            let (watch, updates) = pair.b.watch()
            let registration = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            pair.etcd.expireLeases()
            await updates.wait(forPorts: [])
            await pair.a.advance()
            await updates.wait(forPorts: [1])
            #expect(pair.a.problems.all.count == 1)
            await registration.leave()
            await updates.wait(forPorts: [])
            watch.cancel()
        }
    }

    @Test func `an owner that cannot reach etcd tries on until it can`() async throws {
        try await EtcdPair.run { pair in
            let registration = try await pair.a.register(1)
            pair.etcd.refuse(Self.away)
            for _ in 0..<5 { await pair.a.advance() }
            await pair.a.clock.waitForSleepers()
            pair.etcd.expireLeases()
            pair.etcd.refuse(nil)
            await pair.a.advance()
            let (watch, updates) = pair.b.watch()
            await updates.wait(forPorts: [1])
            await registration.leave()
            watch.cancel()
        }
    }

    @Test func `a watch that breaks goes on where it was, without another list`() async throws {
        try await EtcdPair.run { pair in
            let (watch, updates) = pair.b.watch()
            _ = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            await pair.etcd.breakWatches()
            await updates.wait { if case .failure = $0 { true } else { false } }
            _ = try await pair.a.register(2)
            await pair.b.advance()
            await updates.wait(forPorts: [1, 2])
            #expect(pair.etcd.calls("Range") == 1)
            watch.cancel()
        }
    }

    @Test func `history that was compacted while the watch was broken makes it list anew`() async throws {
        try await EtcdPair.run { pair in
            let (watch, updates) = pair.b.watch()
            let first = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            await pair.etcd.breakWatches()
            await pair.b.clock.waitForSleepers()
            _ = try await pair.a.register(2)
            await first.leave()
            pair.etcd.compact()
            await pair.b.advance()
            await updates.wait(forPorts: [2])
            #expect(pair.etcd.calls("Range") == 2)
            #expect(updates.all.drop { $0 != .success([.local(1)]) }.allSatisfy { $0 != .success([]) })
            watch.cancel()
        }
    }

    @Test func `while etcd is away those who watch hear it once, and later watchers get the last list`() async throws {
        try await EtcdPair.run { pair in
            let (watch, updates) = pair.b.watch()
            _ = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            await pair.etcd.waitForWatch()
            pair.etcd.refuse(Self.away)
            await pair.etcd.breakWatches()
            for _ in 0..<4 { await pair.b.advance() }
            await pair.b.clock.waitForSleepers()
            #expect(updates.all.filter { if case .failure = $0 { true } else { false } }.count == 1)
            let (late, lateUpdates) = pair.b.watch()
            #expect(lateUpdates.ports == [1])
            pair.etcd.refuse(nil)
            await pair.b.advance()
            await updates.wait(forPorts: [1])
            watch.cancel()
            late.cancel()
        }
    }

    @Test func `a watch that begins while etcd is away fails, then hears the list`() async throws {
        try await EtcdPair.run { pair in
            pair.etcd.refuse(Self.away)
            let (watch, updates) = pair.b.watch()
            await updates.wait { if case .failure(let error) = $0 { error.code == .unavailable } else { false } }
            pair.etcd.refuse(nil)
            await pair.b.advance()
            await updates.wait(forPorts: [])
            watch.cancel()
        }
    }

    @Test func `many watchers of a service share one watch, which ends with the last of them`() async throws {
        try await EtcdPair.run { pair in
            let (first, updates) = pair.b.watch()
            await updates.wait(forPorts: [])
            let (second, secondUpdates) = pair.b.watch()
            await secondUpdates.wait(forPorts: [])
            _ = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            await secondUpdates.wait(forPorts: [1])
            #expect(pair.etcd.calls("Range") == 1)
            #expect(pair.etcd.calls("Watch") == 1)
            first.cancel()
            _ = try await pair.a.register(2)
            await secondUpdates.wait(forPorts: [1, 2])
            #expect(updates.ports == [1])
            second.cancel()
            while pair.etcd.store.withLock({ !$0.watches.isEmpty }) { await Task.yield() }
        }
    }

    @Test func `a long list is read in pages`() async throws {
        try await EtcdPair.run { pair in
            for port in 1...600 { pair.etcd.put("users/\(port)", #"{"Op":0,"Addr":"127.0.0.1:\#(port)"}"#) }
            let (watch, updates) = pair.b.watch()
            await updates.wait(forPorts: Array(1...600))
            #expect(updates.count == 1)
            #expect(pair.etcd.calls("Range") == 3)
            watch.cancel()
        }
    }

    @Test func `a value that is no entry is skipped and told`() async throws {
        try await EtcdPair.run { pair in
            pair.etcd.put("users/bad", "nonsense")
            pair.etcd.put("users/good", #"{"Op":0,"Addr":"127.0.0.1:7","Metadata":null}"#)
            let (watch, updates) = pair.b.watch()
            await updates.wait(forPorts: [7])
            pair.etcd.put("users/worse", "{}")
            pair.etcd.put("users/better", #"{"Op":0,"Addr":"127.0.0.1:8","Metadata":null}"#)
            await updates.wait(forPorts: [7, 8])
            #expect(pair.b.problems.all.count == 2)
            #expect(pair.b.problems.all.first?.contains("users/bad") == true)
            watch.cancel()
        }
    }

    @Test func `a user gets a token, and another one when etcd refuses it`() async throws {
        var options = EtcdOptions.patient
        options.user = EtcdOptions.User("ann", password: "secret")
        try await EtcdPair.run(options: options) { pair in
            pair.etcd.store.withLock { $0.token = "first" }
            let (watch, updates) = pair.b.watch()
            await updates.wait(forPorts: [])
            await pair.etcd.waitForWatch()
            #expect(pair.etcd.calls("Authenticate") == 1)
            pair.etcd.store.withLock { $0.token = "second" }
            _ = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            pair.etcd.store.withLock { $0.token = "third" }
            _ = try await pair.a.register(2)
            await updates.wait(forPorts: [1, 2])
            #expect(pair.etcd.calls("Authenticate") == 3)
            await pair.etcd.breakWatches()
            // The stream shows the old token first, and cannot be repeated.
            await pair.b.advance()
            await pair.b.advance()
            await updates.wait(forPorts: [1, 2])
            watch.cancel()
        }
    }

    @Test func `a wrong password is an error that says so`() async throws {
        var options = EtcdOptions.patient
        options.user = EtcdOptions.User("ann", password: "wrong")
        try await EtcdPair.run(options: options) { pair in
            await #expect { try await pair.b.register(1) } throws: { "\($0)".contains("authentication failed") }
        }
    }

    @Test func `a registry that is closed takes its instances out, and refuses what comes later`() async throws {
        try await EtcdPair.run { pair in
            let (watch, updates) = pair.b.watch()
            _ = try await pair.a.register(1)
            await updates.wait(forPorts: [1])
            await pair.a.registry.close()
            await updates.wait(forPorts: [])
            await #expect(throws: RPCError.self) { try await pair.a.register(2) }
            let (late, lateUpdates) = pair.a.watch()
            await lateUpdates.wait { if case .failure = $0 { true } else { false } }
            late.cancel()
            watch.cancel()
        }
    }

    @Test func `a registry without members is refused`() {
        #expect { try EtcdRegistry([]) } throws: { ($0 as? RPCError)?.code == .invalidArgument }
    }
}
