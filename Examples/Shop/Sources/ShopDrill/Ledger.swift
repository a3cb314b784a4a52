// SPDX-License-Identifier: Apache-2.0

import Figures
import Synchronization

/// All that was seen of the drill so far. Safe from any task or thread.
public final class Ledger: Sendable {
    private struct State {
        var phase = Phase.before
        var calls = 0
        var retries = 0
        var resumed = 0
        var rows: [InstanceRow] = []
        var tallies: [String: PickTally] = [:]
        var failures: [String] = []
        var audit = EffectAudit()
        var findings: [String] = []

        /// Changes an instance's row; an unknown name changes nothing.
        mutating func at(_ instance: String?, _ change: (inout InstanceRow) -> Void) {
            guard let index = rows.firstIndex(where: { $0.instance == instance }) else { return }
            change(&rows[index])
        }
    }

    private let state: Mutex<State>
    private let began = ContinuousClock.now

    /// Nothing was seen yet of these instances, which are starting.
    public init(_ instances: [Instance]) {
        let rows = instances.map { InstanceRow(service: $0.service, instance: $0.name, state: .starting) }
        state = Mutex(State(rows: rows))
    }

    // MARK: Calls

    /// A call ended well.
    public func succeeded() { state.withLock { $0.calls += 1 } }

    /// A call failed, retries and all.
    public func failed(_ what: String) {
        state.withLock { state in
            state.calls += 1
            state.failures.append(what)
        }
    }

    /// A try failed, and its call is tried again.
    public func retried() { state.withLock { $0.retries += 1 } }

    /// A stream was cut, and its reader goes on with another.
    public func resumed() { state.withLock { $0.resumed += 1 } }

    /// How many calls ended.
    public var calls: Int { state.withLock { $0.calls } }

    /// Why calls failed, one line each.
    public var failures: [String] { state.withLock { $0.failures } }

    // MARK: Instances

    /// The drill has come to another part.
    public func enter(_ phase: Phase) { state.withLock { $0.phase = phase } }

    /// An instance is in another state.
    public func set(_ instance: Instance, to new: InstanceState) {
        state.withLock { $0.at(instance.name) { $0.state = new } }
    }

    /// The first pick of a call.
    public func picked(_ pick: WitnessedPick, service: String) {
        state.withLock { state in
            let phase = state.phase
            state.tallies[service, default: PickTally()].record(pick)
            state.at(WitnessedPick.instance(of: pick.picked)) { $0.picks[phase, default: 0] += 1 }
            guard case .choice(let among) = pick.meaning else { return }
            for endpoint in among {
                state.at(WitnessedPick.instance(of: endpoint)) { $0.due[phase, default: 0] += 1 / Double(among.count) }
            }
        }
    }

    /// An instance answered a try.
    public func answered(_ instance: String?, after time: Duration) {
        state.withLock { $0.at(instance) { $0.latency.record(time) } }
    }

    /// A try failed at an instance.
    public func tryFailed(at instance: String?) { state.withLock { $0.at(instance) { $0.errors += 1 } } }

    // MARK: Effects

    /// Something was answered that has to be true afterwards.
    public func note(_ answer: (inout EffectAudit) -> Void) { state.withLock { answer(&$0.audit) } }

    /// An answer was wrong.
    public func found(_ findings: [String]) { state.withLock { $0.findings += findings } }

    /// What was answered, and what was found to be wrong.
    public var effects: (audit: EffectAudit, findings: [String]) { state.withLock { ($0.audit, $0.findings) } }

    // MARK: The whole

    /// The first picks by service.
    public var tallies: [String: PickTally] { state.withLock { $0.tallies } }

    /// The present moment.
    public var snapshot: DrillSnapshot {
        state.withLock { state in
            DrillSnapshot(
                elapsed: began.duration(to: .now), phase: state.phase, calls: state.calls, failed: state.failures.count,
                retries: state.retries, resumed: state.resumed, rows: state.rows)
        }
    }
}
