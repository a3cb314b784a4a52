// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// A file of secrets, made only when somebody asked for it. Safe from any thread: each line is one appending write.
///
/// A disk that is full ends no connection: lines are lost, which is told once, and once more when they go on.
final class KeyLog: Sendable {
    private struct State {
        // Lines since the last one that was written.
        var lost = 0
        var endsInsideLine = false
    }

    private let path: String
    private let descriptor: Int32
    private let report: (@Sendable (TLSEvent) -> Void)?
    private let state = Mutex(State())

    /// - Throws: INVALID_ARGUMENT when the file cannot be opened.
    init(_ path: String, report: (@Sendable (TLSEvent) -> Void)? = nil) throws(RPCError) {
        self.path = path
        self.report = report
        descriptor = SystemCalls.openSecretLog(path)
        guard descriptor >= 0 else { throw RPCError(.invalidArgument, "cannot append to the key log \(path)") }
    }

    deinit { SystemCalls.close(descriptor) }

    /// Appends a line, or loses it.
    func append(_ line: String) {
        let event = state.withLock { write(line, &$0) }
        if let event { report?(event) }
    }

    private func write(_ line: String, _ state: inout State) -> TLSEvent? {
        let bytes = Array(((state.endsInsideLine ? "\n" : "") + line + "\n").utf8)
        let answer = bytes.withUnsafeBytes { SystemCalls.append($0, to: descriptor) }
        if answer.written > 0 { state.endsInsideLine = answer.written < bytes.count }
        let lost = state.lost
        guard answer.written == bytes.count else {
            state.lost += 1
            return lost == 0 ? .keyLogFailed(reason: "cannot append to the key log \(path): \(answer.reason)") : nil
        }
        state.lost = 0
        return lost > 0 ? .keyLogResumed(lost: lost) : nil
    }
}
