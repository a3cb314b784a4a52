// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The standard output, for the table and for what happens meanwhile.
final class Screen: Sendable {
    private let table: Mutex<LiveTable>
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    init() { table = Mutex(LiveTable(isTerminal: isTerminal)) }

    func say(_ text: String) { table.withLock { write($0.note(text)) } }

    func show(_ snapshot: DrillSnapshot) { table.withLock { write($0.draw(snapshot)) } }

    /// Shows the ledger again and again until the task is cancelled: a terminal often, a log now and then.
    func follow(_ ledger: Ledger) async {
        let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(2)
        while (try? await Task.sleep(for: interval)) != nil { show(ledger.snapshot) }
    }

    private func write(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }
}
