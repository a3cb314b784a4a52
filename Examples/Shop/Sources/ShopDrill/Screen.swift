// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The standard output, for the table and for what happens meanwhile.
final class Screen: Sendable {
    private struct State {
        var table: LiveTable
        var isDark = false
    }

    private let state: Mutex<State>
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    init() { state = Mutex(State(table: LiveTable(isTerminal: isTerminal))) }

    func say(_ text: String) { write { $0.note(text) } }

    func show(_ snapshot: DrillSnapshot) { write { $0.draw(snapshot) } }

    /// Says a last line, if any, and nothing from then on.
    func end(_ text: String?) {
        if let text { say(text) }
        state.withLock { $0.isDark = true }
    }

    /// Shows the ledger again and again until the task is cancelled: a terminal often, a log now and then.
    func follow(_ ledger: Ledger) async {
        let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(2)
        while (try? await Task.sleep(for: interval)) != nil { show(ledger.snapshot) }
    }

    // Under the lock: what two tasks say does not mix.
    private func write(_ text: (inout LiveTable) -> String) {
        state.withLock { state in
            guard !state.isDark else { return }
            try? FileHandle.standardOutput.write(contentsOf: Data(text(&state.table).utf8))
        }
    }
}
