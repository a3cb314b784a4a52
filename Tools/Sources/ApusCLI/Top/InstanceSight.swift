// SPDX-License-Identifier: Apache-2.0

import Apus

/// What is seen of an instance.
struct InstanceSight: Sendable {
    enum Health: Hashable, Sendable {
        case unseen, serving, away
        case other(String)

        var text: String {
            switch self {
            case .unseen: "…"
            case .serving: "SERVING"
            case .away: "AWAY"
            case .other(let text): text
            }
        }
    }

    let address: String
    var health = Health.unseen
    /// How long the last question about its health took.
    var ping: Duration?
    /// Why it is away.
    var problem = ""
    /// What it tells of itself; nil when it does not.
    var load: OrcaLoadReport?

    init(_ address: String) { self.address = address }

    /// The instance has told its health.
    mutating func answered(_ status: GRPCHealthCheckResponse.ServingStatus, after ping: Duration) {
        health = status == .serving ? .serving : .other(HealthCommand.text(status))
        self.ping = ping
        problem = ""
    }

    /// A question about its health failed. Without a health service an instance that answers serves.
    mutating func failed(_ error: RPCError, after ping: Duration) {
        guard error.code != .unimplemented else { return answered(.serving, after: ping) }
        health = .away
        self.ping = nil
        load = nil
        problem = Screen.harmless("\(error.status)")
    }

    /// Instances as a table.
    static func table(_ sights: [InstanceSight]) -> [String] {
        let header = ["INSTANCE", "HEALTH", "PING", "CPU", "MEMORY", "CALLS/S", "ERRORS/S"]
        var table = TextTable(header: header, leftColumns: 2)
        for sight in sights {
            table.add([
                sight.address, sight.health.text, sight.ping.map { Figures.time($0) } ?? "-",
                percent(sight.load?.cpuUtilization), percent(sight.load?.memUtilization),
                sight.load.map { number($0.rpsFractional > 0 ? $0.rpsFractional : Double($0.rps)) } ?? "-",
                sight.load.map { number($0.eps) } ?? "-",
            ])
        }
        let away = sights.filter { !$0.problem.isEmpty }.map { "\($0.address): \($0.problem)" }
        return table.lines + (away.isEmpty ? [] : [""] + away)
    }

    // What a peer tells may be no number at all.
    private static func percent(_ share: Double?) -> String {
        guard let share, share.isFinite, share >= 0, share < 1e6 else { return "-" }
        return "\(Int((share * 100).rounded())) %"
    }

    private static func number(_ value: Double) -> String {
        value.isFinite && value >= 0 && value < 1e12 ? Figures.count(Int(value.rounded())) : "-"
    }
}
