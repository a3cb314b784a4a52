// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
@testable import ApusEtcd
import ApusProtobuf
import ApusTestSupport
import ApusTransport
import Testing

/// Against Debian's etcd: what a script plays may be wrong.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RealEtcdTests {
    private let etcd: EtcdProcess
    private let problems = Problems()

    init() async throws { etcd = try await EtcdProcess() }

    private func registry(lease: Duration = .seconds(600), user: EtcdOptions.User? = nil) throws -> EtcdRegistry {
        var options = EtcdOptions.patient
        options.lease = lease
        options.user = user
        let problems = problems
        return try EtcdRegistry([.host("127.0.0.1", port: etcd.port)], options: options) { problems.add($0) }
    }

    private func client() -> EtcdClient {
        EtcdClient(
            [Endpoint(host: "127.0.0.1", port: etcd.port)], options: .patient, transport: HTTP2Transport(),
            clock: SystemClock(), random: SplitMixRandom.shared, report: { _ in })
    }

    private func instance(_ port: Int) -> ServiceInstance {
        ServiceInstance(
            service: "users", id: "i\(port)",
            endpoint: Endpoint(host: "127.0.0.1", port: port, metadata: ["zone": "a"], weight: 2))
    }

    private func watch(_ registry: EtcdRegistry) -> (watch: RegistryWatch, updates: Updates) {
        let updates = Updates()
        return (registry.watch("users") { updates.add($0) }, updates)
    }

    @Test func `two registries see each other's instances come and go, with all that they say`() async throws {
        let (a, b) = (try registry(), try registry())
        let (watchOfA, seenByA) = watch(a)
        let (watchOfB, seenByB) = watch(b)
        await seenByA.wait(forPorts: [])
        await seenByB.wait(forPorts: [])
        let first = try await a.register(instance(1))
        await seenByB.wait { [endpoint = instance(1).place] in $0 == .success([endpoint]) }
        let second = try await b.register(instance(2))
        await seenByA.wait(forPorts: [1, 2])
        await #expect { try await b.register(instance(1)) } throws: { ($0 as? RPCError)?.code == .alreadyExists }
        await first.leave()
        await seenByB.wait(forPorts: [2])
        await b.close()
        await seenByA.wait(forPorts: [])
        await second.leave()
        watchOfA.cancel()
        watchOfB.cancel()
        await a.close()
        #expect(problems.all.isEmpty)
    }

    @Test func `after a crash of etcd the last list stays, and changes are followed again`() async throws {
        let (a, b) = (try registry(lease: .seconds(60)), try registry())
        let (watch, updates) = watch(b)
        let first = try await a.register(instance(1))
        await updates.wait(forPorts: [1])
        etcd.kill()
        await updates.wait { if case .failure = $0 { true } else { false } }
        let (late, lateUpdates) = self.watch(b)
        #expect(lateUpdates.ports == [1])
        try await etcd.start()
        await updates.wait(forPorts: [1])
        _ = try await registered(instance(2), by: a)
        await updates.wait(forPorts: [1, 2])
        await first.leave()
        await updates.wait(forPorts: [2])
        watch.cancel()
        late.cancel()
        await a.close()
        await b.close()
    }

    // The connection that broke may still be waiting for its next try.
    private func registered(_ instance: ServiceInstance, by registry: EtcdRegistry) async throws -> Registration {
        while true {
            let result: Result<Registration, RPCError>
            do throws(RPCError) {
                result = .success(try await registry.register(instance))
            } catch {
                result = .failure(error)
            }
            guard case .failure(let error) = result, error.code == .unavailable else {
                return try result.get()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func `history that was compacted is listed anew`() async throws {
        let client = client()
        let revision = try await client.range(EtcdRangeRequest(key: [1])).header?.revision ?? 0
        var course = WatchCourse(service: "users", maximumInstances: 10)
        _ = try course.listed(try await client.range(EtcdRangeRequest(key: [1])))
        let a = try registry()
        _ = try await a.register(instance(1))
        let second = try await a.register(instance(2))
        await second.leave()
        let newest = try await client.range(EtcdRangeRequest(key: [1])).header?.revision ?? 0
        #expect(newest > revision)
        _ = try await EtcdKV.Client(client.channel).compact(EtcdCompactionRequest(revision: newest))
        guard case .follow(let request) = course.step else {
            Issue.record("the course does not follow")
            return
        }
        var answers: [WatchCourse.Answer] = []
        try await client.watch(request) { response throws(RPCError) in
            answers.append(try course.received(response))
            return answers.last != .end
        }
        #expect(answers.last == .end)
        guard case .list(let list) = course.step else {
            Issue.record("the course does not list")
            return
        }
        #expect(try course.listed(try await client.range(list)) == [instance(1).place])
        await a.close()
        client.channel.close()
    }

    @Test func `an instance whose owner died is gone when its lease is`() async throws {
        let client = client()
        // As an owner that is killed between two heartbeats: nobody renews it.
        let lease = try await EtcdLease.Client(client.channel).leaseGrant(EtcdLeaseGrantRequest(ttl: 2)).id
        let dead = instance(1)
        #expect(try await client.add(EtcdEntry.key(of: dead), EtcdEntry.encoded(dead), lease: lease))
        let b = try registry(lease: .seconds(2))
        let living = try await b.register(instance(2))
        let (watch, updates) = watch(b)
        await updates.wait(forPorts: [2])
        await living.leave()
        await updates.wait(forPorts: [])
        watch.cancel()
        await b.close()
        client.channel.close()
    }

    @Test func `a lease that was revoked behind the owner's back is granted anew`() async throws {
        let (a, client) = (try registry(lease: .seconds(3)), client())
        let registration = try await a.register(instance(1))
        let (watch, updates) = watch(try registry())
        await updates.wait(forPorts: [1])
        let pair = try await client.range(EtcdRangeRequest(key: EtcdEntry.key(of: instance(1)))).kvs.first
        try await client.revoke(try #require(pair).lease)
        await updates.wait(forPorts: [])
        await updates.wait(forPorts: [1])
        await registration.leave()
        await updates.wait(forPorts: [])
        watch.cancel()
        client.channel.close()
    }

    @Test func `a document under a key is followed, also over a restart`() async throws {
        let (client, key) = (client(), Array("config".utf8))
        func put(_ text: String) async throws { try await client.put(key, Array(text.utf8), lease: 0) }
        let options = EtcdOptions.patient
        let config = try EtcdConfig("config", [.host("127.0.0.1", port: etcd.port)], options: options)
        var documents = config.documents().makeAsyncIterator()
        func next() async -> String? {
            await documents.next(isolation: #isolation).map { document in
                (try? document.get()).map { String(decoding: $0, as: UTF8.self) } ?? "failure"
            }
        }
        #expect(await next() == "failure")
        try await put("one")
        #expect(await next() == "one")
        etcd.kill()
        #expect(await next() == "failure")
        try await etcd.start()
        var heard = await next()
        // The port may refuse, or the member have no leader yet.
        while heard == "failure" { heard = await next() }
        #expect(heard == "one")
        try await put("two")
        #expect(await next() == "two")
        client.channel.close()
    }

    // UserAdd, UserGrantRole and RoleAdd have the fields of Authenticate, or the first of them.
    private func manage(_ method: String, _ name: String = "", _ other: String = "", on channel: Channel) async throws {
        let method = Method<ProtobufCodec<EtcdAuthenticateRequest>, ProtobufCodec<EtcdLeaseRevokeResponse>>(
            service: "etcdserverpb.Auth", name: method, kind: .unary)
        _ = try await channel.unary(method, EtcdAuthenticateRequest(name: name, password: other))
    }

    @Test func `a cluster with users is used with a name and a password`() async throws {
        let client = client()
        try await manage("UserAdd", "root", "secret", on: client.channel)
        try await manage("RoleAdd", "root", on: client.channel)
        try await manage("UserGrantRole", "root", "root", on: client.channel)
        try await manage("AuthEnable", on: client.channel)
        let stranger = try registry()
        await #expect(throws: RPCError.self) { try await stranger.register(instance(1)) }
        let user = try registry(user: EtcdOptions.User("root", password: "secret"))
        let (watch, updates) = watch(user)
        let registration = try await user.register(instance(1))
        await updates.wait(forPorts: [1])
        // Its restart makes etcd forget the tokens that it gave.
        etcd.kill()
        await updates.wait { if case .failure = $0 { true } else { false } }
        try await etcd.start()
        await updates.wait(forPorts: [1])
        _ = try await registered(instance(2), by: user)
        await updates.wait(forPorts: [1, 2])
        await registration.leave()
        await updates.wait(forPorts: [2])
        watch.cancel()
        await user.close()
        await stranger.close()
        client.channel.close()
    }
}
