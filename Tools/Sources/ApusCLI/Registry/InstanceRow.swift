// SPDX-License-Identifier: Apache-2.0

import Apus

/// An instance as an operator sees it.
struct InstanceRow: Hashable, Sendable {
    enum State: String {
        case live, draining, expired
    }

    let service: String
    let id: String
    let address: String
    var state = State.live
    var weight = 1.0
    /// What it tells about itself.
    var metadata: [String: String] = [:]
    /// The time since its last sign of life; nil where the registry does not tell.
    var age: Duration?

    /// Rows as a table, sorted.
    static func table(_ rows: [InstanceRow]) -> [String] {
        var table = TextTable(
            header: ["SERVICE", "INSTANCE", "ADDRESS", "STATE", "SEEN", "WEIGHT", "METADATA"], leftColumns: 7)
        for row in rows.sorted(by: { ($0.service, $0.address, $0.id) < ($1.service, $1.address, $1.id) }) {
            let metadata = row.metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            table.add(
                [
                    row.service, row.id, row.address, row.state.rawValue,
                    row.age.map { "\(Figures.time($0)) ago" } ?? "-",
                    row.weight.formatted, metadata.joined(separator: " "),
                ].map(Screen.harmless))
        }
        return table.lines
    }
}

extension Double {
    /// `2` instead of `2.0`.
    var formatted: String { self == rounded() && magnitude < 1e15 ? "\(Int(self))" : "\(self)" }
}

/// Says what changed between two lists of a service.
struct InstanceChanges {
    private var known: [String]?

    /// The lines of an update.
    mutating func lines(_ update: Result<[Endpoint], RPCError>) -> [String] {
        switch update {
        case .failure(let error): return [Screen.harmless("the registry cannot be read, the last list stays: \(error)")]
        case .success(let endpoints):
            let new = endpoints.map { "\($0.address)" }.sorted()
            defer { known = new }
            guard let known else {
                return new.isEmpty ? ["nobody is there"] : new.map { "+ \($0)" }
            }
            let gone = known.filter { !new.contains($0) }.map { "- \($0)" }
            return gone + new.filter { !known.contains($0) }.map { "+ \($0)" }
        }
    }
}
