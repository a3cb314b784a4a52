// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Foundation

/// What goes wrong.
public enum Scenario: String, Sendable, Hashable, CaseIterable {
    /// Each instance is replaced by a new one.
    case rollingRestart = "rolling restart"
    /// Nobody can read or write the registry.
    case registryOutage = "registry outage"
    /// An instance dies without a word.
    case kill = "SIGKILL"
    /// An instance stands still, its connections open.
    case freeze = "SIGSTOP"
    /// An instance answers after 500 ms.
    case slow = "slow answers"
    /// An instance fails half of its calls.
    case errors = "50 % errors"

    /// Whether one instance is ill, so that there is something to leave.
    var hasVictim: Bool {
        switch self {
        case .rollingRestart, .registryOutage: false
        case .kill, .freeze, .slow, .errors: true
        }
    }

    /// Whether not a single call may fail.
    var mayLoseNothing: Bool {
        switch self {
        case .rollingRestart, .registryOutage, .kill: true
        case .freeze, .slow, .errors: false
        }
    }

    /// Whether the ill instance has to be left soon, and the others' calls to be as quick as before. One that is dead
    /// is left at once: nobody can connect to it.
    var isTimed: Bool {
        switch self {
        case .freeze, .slow: true
        case .rollingRestart, .registryOutage, .kill, .errors: false
        }
    }

    /// Begins the fault. The instances may be others afterwards.
    func begin(_ workers: Workers, _ names: inout [String]) async throws {
        let victim = names[0]
        switch self {
        case .rollingRestart:
            for (index, old) in names.enumerated() {
                let new = old + "'"
                try await workers.start(new)
                try await workers.stop(old)
                names[index] = new
            }
        case .registryOutage: try workers.setRegistry(isThere: false)
        case .kill: workers.send(SIGKILL, to: victim)
        case .freeze: workers.send(SIGSTOP, to: victim)
        case .slow: try await workers.ail(victim, Ailment(delayMilliseconds: 500))
        case .errors: try await workers.ail(victim, Ailment(failingPercent: 50))
        }
    }

    /// Ends the fault.
    func end(_ workers: Workers, _ names: inout [String]) async throws {
        let victim = names[0]
        switch self {
        case .rollingRestart: break
        case .registryOutage: try workers.setRegistry(isThere: true)
        case .kill:
            names[0] = victim + "'"
            try await workers.start(names[0])
        case .freeze: workers.send(SIGCONT, to: victim)
        case .slow, .errors: try await workers.ail(victim, Ailment())
        }
        try await workers.settle(names)
    }
}
