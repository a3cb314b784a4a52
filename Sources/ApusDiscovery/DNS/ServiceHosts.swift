// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The endpoints that records of a service stand for. Source: RFC 2782.
struct ServiceHosts: Sendable {
    /// Records that are used; those beyond are left out.
    private static let maximumRecords = 256
    // Each look-up has a thread.
    private static let atOnce = 8

    /// The records in the order of their priority.
    private let groups: [[ServiceRecord]]

    init(_ records: [ServiceRecord]) {
        let byPriority = Dictionary(grouping: records.prefix(Self.maximumRecords), by: \.priority)
        groups = byPriority.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The addresses of the hosts with the first priority at which any has one. The weight of a record is shared by
    /// its host's addresses; a weight of 0 counts as 1.
    ///
    /// - Parameter known: the addresses that hosts had the last time: those of a host that cannot be looked up now.
    func endpoints(_ lookUp: HostLookUp, known: inout [String: [String]]) async -> RegistryUpdate {
        var reason = RPCError(.unavailable, "the name's SRV records say that there is no such service")
        let before = known
        known = before.filter { host, _ in groups.contains { $0.contains { $0.host == host } } }
        for group in groups {
            var answers = await Self.addresses(of: Set(group.compactMap(\.host)), lookUp)
            for (host, answer) in answers {
                switch answer {
                case .success(let addresses): known[host] = addresses
                case .failure: if let last = known[host] { answers[host] = .success(last) }
                }
            }
            let endpoints = Self.endpoints(group, answers)
            if !endpoints.isEmpty { return .success(endpoints) }
            for case .failure(let error) in answers.values { reason = error }
        }
        return .failure(reason)
    }

    private static func endpoints(
        _ records: [ServiceRecord], _ answers: [String: Result<[String], RPCError>]
    ) -> [Endpoint] {
        var seen: Set<Endpoint.Address> = []
        var endpoints: [Endpoint] = []
        for record in records {
            let addresses = record.host.flatMap { try? answers[$0]?.get() } ?? []
            let weight = Double(max(1, record.weight)) / Double(max(1, addresses.count))
            for address in addresses {
                let endpoint = Endpoint(host: address, port: Int(record.port), weight: weight)
                if seen.insert(endpoint.address).inserted { endpoints.append(endpoint) }
            }
        }
        // Sorted: name servers turn their answers round, which is no change.
        return Array(endpoints.sorted { $0.description < $1.description }.prefix(DNSRegistry.maximumAddresses))
    }

    private static func addresses(
        of hosts: Set<String>, _ lookUp: HostLookUp
    ) async -> [String: Result<[String], RPCError>] {
        await withTaskGroup(of: (String, Result<[String], RPCError>).self) { group in
            var answers: [String: Result<[String], RPCError>] = [:]
            var rest = hosts.sorted()[...]
            for host in rest.prefix(atOnce) { group.addTask { (host, await lookUp.addresses(rooted(host))) } }
            rest = rest.dropFirst(atOnce)
            for await (host, answer) in group {
                answers[host] = answer
                guard let next = rest.popFirst() else { continue }
                group.addTask { (next, await lookUp.addresses(rooted(next))) }
            }
            return answers
        }
    }

    // A record has whole names: the system must not look for them below the domains that it searches.
    private static func rooted(_ host: String) -> String { host.hasSuffix(".") ? host : host + "." }
}
