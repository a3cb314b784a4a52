// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusEtcd
import ApusTestSupport
import ApusTransport
import Testing

/// Debian's etcd behind TLS, and three of them, of which one dies.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RealEtcdClusterTests {
    private func registry(_ ports: [Int], tls: ClientTLS? = nil) throws -> EtcdRegistry {
        var options = EtcdOptions.patient
        options.tls = tls
        return try EtcdRegistry(ports.map { .host("127.0.0.1", port: $0) }, options: options)
    }

    private func instance(_ port: Int) -> ServiceInstance {
        ServiceInstance(service: "users", id: "i\(port)", endpoint: .local(port))
    }

    private func watch(_ registry: EtcdRegistry) -> (watch: RegistryWatch, updates: Updates) {
        let updates = Updates()
        return (registry.watch("users") { updates.add($0) }, updates)
    }

    // The connection that broke may still be waiting for its next try.
    private func register(_ port: Int, in registry: EtcdRegistry) async throws -> Registration {
        while true {
            do throws(RPCError) {
                return try await registry.register(instance(port))
            } catch {
                guard error.code == .unavailable else { throw error }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func `an etcd behind TLS is used by those who trust it, and with a certificate that it trusts`() async throws
    {
        let authority = try TLSTestAuthority()
        let etcd = try await EtcdProcess(tls: try authority.issue(ip: ["127.0.0.1"]), authority: authority.pem)
        let client = try authority.issue(commonName: "shop")
        let good = try registry([etcd.port], tls: ClientTLS(roots: authority.roots, certificate: client))
        let (watch, updates) = watch(good)
        let registration = try await good.register(instance(1))
        await updates.wait(forPorts: [1])
        await registration.leave()
        await updates.wait(forPorts: [])
        watch.cancel()
        await good.close()

        let stranger = try TLSTestAuthority("somebody else")
        let bad = [
            // Does not trust it, shows nothing, shows what it does not trust, speaks cleartext.
            ClientTLS(roots: stranger.roots, certificate: client), ClientTLS(roots: authority.roots),
            ClientTLS(roots: authority.roots, certificate: try stranger.issue(commonName: "shop")), nil,
        ]
        for tls in bad {
            let registry = try registry([etcd.port], tls: tls)
            let error = await #expect(throws: RPCError.self) { try await registry.register(instance(2)) }
            #expect(error?.code == .unavailable)
            await registry.close()
        }
    }

    @Test func `when a member dies the next one is asked, and instances and watches stay`() async throws {
        let members = try await EtcdProcess.cluster(of: 3)
        let ports = members.map(\.port)
        // Both begin with the member that dies.
        let (a, b) = (try registry(ports), try registry(ports))
        let (watch, updates) = watch(b)
        let first = try await a.register(instance(1))
        await updates.wait(forPorts: [1])
        members[0].kill()
        let second = try await register(2, in: a)
        await updates.wait(forPorts: [1, 2])
        await first.leave()
        await updates.wait(forPorts: [2])
        // Back again, while another one goes.
        try await members[0].start()
        members[1].kill()
        let third = try await register(3, in: b)
        await updates.wait(forPorts: [2, 3])
        await second.leave()
        await third.leave()
        await updates.wait(forPorts: [])
        watch.cancel()
        await a.close()
        await b.close()
    }
}
