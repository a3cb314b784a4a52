// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry

/// What is known of the services that this process calls, and of the methods that it serves.
struct ServiceReport {
    let series: MeasuredSeries
    let handles: [String: [EndpointHandle]]
    let channels: [Channel]

    // A page is for people: who has more reads the metrics.
    private static let mostServices = 50
    private static let mostMethods = 50
    private static let mostEndpoints = 200

    /// The services that are called, by name.
    var services: JSON {
        let byMethod = series.tallies(of: "grpc.client.call.duration", by: ["grpc.target", "grpc.method"])
        let attempts = series.numbers(of: "grpc.client.attempt.started", by: ["grpc.target"])
        let retries = series.numbers(of: "grpc.client.call.retries", by: ["grpc.target"])
        let hedges = series.numbers(of: "grpc.client.call.hedges", by: ["grpc.target"])
        let known = Set(byMethod.keys.map { $0[0] }).union(handles.keys).union(channels.map(\.name)).sorted()
        let picks = series.numbers(of: "apus.client.picks", by: ["grpc.target", "apus.endpoint"])
        let services = known.prefix(Self.mostServices).map { name -> JSON in
            let methods = byMethod.filter { $0.key[0] == name }
            var members = Self.members(of: methods.values.reduce(into: CallTally()) { $0.add($1) })
            members["name"] = .string(name)
            members["state"] = state(of: name)
            members["attempts"] = .integer(attempts[[name]] ?? 0)
            members["retries"] = .integer(retries[[name]] ?? 0)
            members["hedges"] = .integer(hedges[[name]] ?? 0)
            members["methods"] = Self.methods(methods.map { ($0.key[1], $0.value) })
            members["endpoints"] = endpoints(of: name, picks: picks)
            members["breakers"] = breakers(of: name)
            return .object(members)
        }
        return .array(services)
    }

    /// The methods that are served.
    var served: JSON {
        let tallies = series.tallies(of: "grpc.server.call.duration", by: ["grpc.method"])
        return Self.methods(tallies.map { ($0.key[0], $0.value) }, withBuckets: true)
    }

    private func state(of name: String) -> JSON {
        // Several channels may have one name: the best of them tells.
        let states = channels.filter { $0.name == name }.map(\.state)
        return .text(Self.order.first(where: states.contains)?.name)
    }

    private static let order: [ConnectivityState] = [.ready, .connecting, .idle, .transientFailure, .shutdown]

    private static func members(of tally: CallTally, withBuckets: Bool = true) -> [String: JSON] {
        var members: [String: JSON] = [
            "calls": .integer(tally.calls), "errors": .integer(tally.errors), "statuses": .counts(tally.statuses),
            "p50": .seconds(nanoseconds: tally.quantile(0.5)), "p90": .seconds(nanoseconds: tally.quantile(0.9)),
            "p99": .seconds(nanoseconds: tally.quantile(0.99)),
        ]
        if withBuckets { members["buckets"] = .array(tally.buckets.map(JSON.integer)) }
        return members
    }

    private static func methods(_ tallies: [(name: String, tally: CallTally)], withBuckets: Bool = false) -> JSON {
        let sorted = tallies.sorted { ($1.tally.calls, $0.name) < ($0.tally.calls, $1.name) }
        return .array(
            sorted.prefix(mostMethods).map { name, tally in
                .object(members(of: tally, withBuckets: withBuckets).merging(["method": .string(name)]) { $1 })
            })
    }

    // MARK: Endpoints

    private func endpoints(of name: String, picks: [[String]: Int]) -> JSON {
        let handles = handles[name] ?? []
        let known = Self.byAddress(handles).prefix(Self.mostEndpoints).map { all -> JSON in
            .object(Self.members(of: all, picks: picks[[name, "\(all[0].address)"]] ?? 0))
        }
        guard handles.isEmpty else { return .array(known) }
        // Without discovery nobody has a list, but picks have addresses.
        let picked = picks.filter { $0.key[0] == name }.sorted { $0.key[1] < $1.key[1] }
        return .array(
            picked.prefix(Self.mostEndpoints).map {
                .object(["address": .string($0.key[1]), "picks": .integer($0.value)])
            })
    }

    // Several channels may have an endpoint, each with a handle of its own.
    private static func byAddress(_ handles: [EndpointHandle]) -> [[EndpointHandle]] {
        var places: [Endpoint.Address: Int] = [:]
        var all: [[EndpointHandle]] = []
        for handle in handles {
            if let place = places[handle.address] {
                all[place].append(handle)
            } else {
                places[handle.address] = all.count
                all.append([handle])
            }
        }
        return all
    }

    // Of an endpoint as its channels together see it: the best state, and ejected when all keep it out.
    private static func members(of all: [EndpointHandle], picks: Int) -> [String: JSON] {
        let states = all.map(\.connectivity)
        return [
            "address": .text(all[0].address), "state": .text(order.first(where: states.contains)?.name),
            "calls_in_flight": .integer(all.reduce(0) { $0 + $1.callsInFlight }),
            "calls_waiting": .integer(all.reduce(0) { $0 + $1.callsWaiting }),
            "ejected": .bool(all.allSatisfy(\.isEjected)), "weight": .number(all[0].weight),
            "picks": .integer(picks), "metadata": .object(all[0].metadata.mapValues(JSON.string)),
        ]
    }

    /// All endpoints with the services that they are of: what `/connections` tells of clients.
    var connections: JSON {
        let rows = handles.sorted { $0.key < $1.key }.flatMap { name, handles in
            Self.byAddress(handles).prefix(Self.mostEndpoints).map { all -> JSON in
                var members = Self.members(of: all, picks: 0)
                members["service"] = .string(name)
                members["picks"] = nil
                members["metadata"] = nil
                return .object(members)
            }
        }
        return .array(rows)
    }

    // Several channels may have breakers of one name and place: the worst of them tells.
    private func breakers(of name: String) -> JSON {
        let order = ["closed", "half_open", "open"]
        var worst: [[String?]: Int] = [:]
        for one in series["apus.client.breaker.state"] where (one["grpc.target"] ?? name) == name {
            guard case .number(let count) = one.value, count > 0,
                let state = one["apus.state"].flatMap(order.firstIndex(of:))
            else { continue }
            worst[["apus.breaker", "apus.endpoint", "grpc.method"].map { one[$0] }, default: 0].raise(to: state)
        }
        let rows = worst.sorted { $0.key.map { $0 ?? "" }.lexicographicallyPrecedes($1.key.map { $0 ?? "" }) }
        return .array(
            rows.prefix(Self.mostEndpoints).map { place, state in
                .object([
                    "breaker": .text(place[0]), "endpoint": .text(place[1]), "method": .text(place[2]),
                    "state": .string(order[state].replacing("_", with: " ")),
                ])
            })
    }
}

extension Int {
    fileprivate mutating func raise(to other: Int) { self = Swift.max(self, other) }
}
