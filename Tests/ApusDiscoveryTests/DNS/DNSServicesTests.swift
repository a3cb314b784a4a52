// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusDiscovery

/// A zone whose records a test changes, and who was asked for.
private final class Zone: Sendable {
    typealias Services = Result<[ServiceRecord], RPCError>

    private let state: Mutex<(services: Services, hosts: [String: [String]], asked: [String])>

    init(_ services: Services, hosts: [String: [String]]) { state = Mutex((services, hosts, [])) }

    var asked: [String] { state.withLock { $0.asked } }

    func set(_ services: Services) { state.withLock { $0.services = services } }

    var hosts: HostLookUp {
        HostLookUp { host in
            self.state.withLock { state in
                state.asked.append(host)
                let name = host.hasSuffix(".") ? String(host.dropLast()) : host
                guard let addresses = state.hosts[name] else { return .failure(RPCError(.unavailable, "no \(name)")) }
                return .success(addresses)
            }
        }
    }

    var services: DNSLookUp {
        DNSLookUp { name in
            self.state.withLock { state in
                state.asked.append(name)
                return state.services
            }
        } texts: { _ in
            .success([])
        }
    }
}

private func record(_ host: String?, _ port: UInt16, priority: UInt16 = 0, weight: UInt16 = 0) -> ServiceRecord {
    ServiceRecord(priority: priority, weight: weight, port: port, host: host)
}

@Suite(.timeLimit(.minutes(1))) struct DNSServicesTests {
    private let clock = ManualClock()
    private let down = RPCError(.unavailable, "down")
    private let hosts = ["users": ["10.9.9.9"], "a": ["10.0.0.2", "10.0.0.1"], "b": ["10.0.0.3"], "empty": []]

    private func endpoints(_ records: [ServiceRecord]) async throws -> [Endpoint] {
        var known: [String: [String]] = [:]
        return try await ServiceHosts(records).endpoints(Zone(.success([]), hosts: hosts).hosts, known: &known).get()
    }

    @Test func `a host that cannot be looked up keeps the addresses it had, while it has a record`() async throws {
        var known: [String: [String]] = [:]
        let both = [record("a", 80), record("b", 81)]
        func found(_ records: [ServiceRecord], _ hosts: [String: [String]]) async throws -> [String] {
            let lookUp = Zone(.success([]), hosts: hosts).hosts
            return try await ServiceHosts(records).endpoints(lookUp, known: &known).get().map(\.description)
        }
        #expect(try await found(both, ["a": ["10.0.0.1"], "b": ["10.0.0.3"]]) == ["10.0.0.1:80", "10.0.0.3:81"])
        #expect(try await found(both, ["b": ["10.0.0.4"]]) == ["10.0.0.1:80", "10.0.0.4:81"])
        #expect(try await found(both, ["a": [], "b": ["10.0.0.4"]]) == ["10.0.0.4:81"])
        #expect(try await found([record("b", 81)], [:]) == ["10.0.0.4:81"])
        #expect(Array(known.keys) == ["b"])
    }

    @Test func `hosts of records are asked for with their final dot`() async throws {
        let zone = Zone(.success([]), hosts: hosts)
        var known: [String: [String]] = [:]
        _ = await ServiceHosts([record("a", 80), record("b.", 80)]).endpoints(zone.hosts, known: &known)
        #expect(Set(zone.asked) == ["a.", "b."])
    }

    @Test(arguments: ["localhost", "dns:///localhost", "shop.localhost", "10.0.0.1", "users:80"])
    func `nobody is asked for services of this machine, of addresses, or with a port`(_ target: String) throws {
        #expect(try DNSName(target).mayHaveServices == false)
    }

    @Test func `records give hosts, ports and weights`() async throws {
        let found = try await endpoints([record("b", 81, weight: 30), record("a", 80, weight: 10)])
        #expect(
            found == [
                Endpoint(host: "10.0.0.1", port: 80, weight: 5), Endpoint(host: "10.0.0.2", port: 80, weight: 5),
                Endpoint(host: "10.0.0.3", port: 81, weight: 30),
            ])
        #expect(try await endpoints([record("b", 81)]).map(\.weight) == [1])
    }

    @Test func `the first priority with an address is taken`() async throws {
        let records = [record("b", 3, priority: 9), record("a", 2, priority: 5), record("no", 1, priority: 1)]
        #expect(try await endpoints(records).map(\.description) == ["10.0.0.1:2", "10.0.0.2:2"])
        #expect(try await endpoints([records[0], record("empty", 1)]).map(\.description) == ["10.0.0.3:3"])
    }

    @Test func `a service that is said not to be, and hosts without addresses, are failures`() async {
        let none = await #expect(throws: RPCError.self) { try await endpoints([record(nil, 0)]) }
        #expect(none?.message == "the name's SRV records say that there is no such service")
        let lost = await #expect(throws: RPCError.self) { try await endpoints([record("no", 0)]) }
        #expect(lost?.message == "no no")
    }

    @Test func `hundreds of hosts are looked up, and no more are used than the bound`() async throws {
        let names = (0..<400).map { "host\($0)" }
        let addresses = Dictionary(
            uniqueKeysWithValues: names.map { ($0, ["10.1.\($0.count).1", "fd00::\($0.dropFirst(4))"]) })
        let zone = Zone(.success([]), hosts: addresses)
        var known: [String: [String]] = [:]
        let found = try await ServiceHosts(names.map { record($0, 80) }).endpoints(zone.hosts, known: &known).get()
        #expect(found.count == 256)
        #expect(zone.asked.count == 256)
    }

    private func watch(_ target: String, _ zone: Zone, until count: Int = 1) async -> (Updates, RegistryWatch) {
        let updates = Updates()
        let registry = DNSRegistry(
            every: .seconds(300), minimum: .seconds(30), lookUp: zone.hosts, services: zone.services, clock: clock)
        let watch = registry.watch(target) { updates.add($0) }
        await clock.waitForSleepers()
        return (updates, watch)
    }

    private final class Updates: Sendable {
        private let told = Mutex<[String]>([])

        var all: [String] { told.withLock { $0 } }

        func add(_ update: Result<[Endpoint], RPCError>) {
            let text = (try? update.get().map(\.description).joined(separator: " ")) ?? "failure"
            told.withLock { $0.append(text) }
        }
    }

    @Test(arguments: ["dns:///users:80", "users:443", "10.0.0.1", "[::1]"])
    func `a port or an address asks for no services`(target: String) async {
        let zone = Zone(.success([record("a", 1)]), hosts: ["users": ["x"], "10.0.0.1": ["x"], "::1": ["x"]])
        let (updates, watch) = await watch(target, zone)
        #expect(zone.asked.count == 1 && !zone.asked[0].hasPrefix("_"))
        #expect(updates.all.count == 1)
        watch.cancel()
    }

    @Test func `a host without a port asks for services first, and stays with them while servers fail`() async {
        let zone = Zone(.failure(down), hosts: hosts)
        let (updates, watch) = await watch("dns:///users", zone)
        for services: Zone.Services in [.success([]), .success([record("b", 7)]), .failure(down), .success([])] {
            zone.set(services)
            clock.advance(by: .seconds(300))
            await clock.waitForSleepers()
        }
        #expect(Set(zone.asked.prefix(2)) == ["_grpc._tcp.users", "users"])
        #expect(updates.all == ["10.9.9.9:443", "10.0.0.3:7", "failure", "10.9.9.9:443"])
        watch.cancel()
    }

    @Test func `services that nobody told are asked for again soon, and take over`() async {
        let zone = Zone(.failure(down), hosts: hosts)
        let (updates, watch) = await watch("users", zone)
        func services() -> Int { zone.asked.count { $0.hasPrefix("_") } }
        for question in 2...4 {
            // 1 s, 1.6 s, 2.56 s, each a fifth longer at most.
            clock.advance(by: .seconds(4))
            await waitUntil { services() == question && clock.sleepers == 1 }
        }
        #expect(updates.all == ["10.9.9.9:443"])
        zone.set(.success([record("b", 7)]))
        clock.advance(by: .seconds(6))
        await waitUntil { updates.all.count == 2 && clock.sleepers == 1 }
        #expect(updates.all == ["10.9.9.9:443", "10.0.0.3:7"])
        // From now on the interval holds.
        let asked = services()
        clock.advance(by: .seconds(299))
        #expect(clock.sleepers == 1 && services() == asked)
        watch.cancel()
    }

    @Test func `servers that know no services leave the addresses, and are asked on the interval`() async {
        let zone = Zone(.failure(RPCError(.unimplemented, "REFUSED")), hosts: hosts)
        let (updates, watch) = await watch("users", zone)
        clock.advance(by: .seconds(299))
        #expect(clock.sleepers == 1 && zone.asked.count == 2)
        #expect(updates.all == ["10.9.9.9:443"])
        watch.cancel()
    }

    @Test func `addresses are looked up beside services, and a silent resolver is not waited for in vain`() async {
        let services = DNSLookUp { _ in
            .success([record("b", 7)])
        } texts: { _ in
            .success([])
        }
        let hosts = HostLookUp { host in
            // The host's own addresses never come.
            while host == "users", !Task.isCancelled { await Task.yield() }
            return .success(["10.0.0.3"])
        }
        let updates = Updates()
        let registry = DNSRegistry(
            every: .seconds(300), minimum: .seconds(30), lookUp: hosts, services: services, clock: clock)
        let watch = registry.watch("users") { updates.add($0) }
        await clock.waitForSleepers()
        #expect(updates.all == ["10.0.0.3:7"])
        watch.cancel()
    }

    @Test func `calls that reach nobody make it look again, not sooner than the minimum`() async {
        let zone = Zone(.success([]), hosts: hosts)
        let (_, watch) = await watch("users:80", zone)
        #expect(zone.asked.count == 1)
        clock.advance(by: .seconds(10))
        for _ in 0..<100 { watch.refresh() }
        await waitUntil { clock.sleepers == 1 }
        clock.advance(by: .seconds(19))
        #expect(zone.asked.count == 1)
        clock.advance(by: .seconds(1))
        await waitUntil { zone.asked.count == 2 && clock.sleepers == 1 }
        // Later than the minimum: at once.
        clock.advance(by: .seconds(100))
        watch.refresh()
        await waitUntil { zone.asked.count == 3 && clock.sleepers == 1 }
        watch.cancel()
        watch.refresh()
        await waitUntil { clock.sleepers == 0 }
        #expect(zone.asked.count == 3)
    }

    private func waitUntil(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }
}
