// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// How a process ended.
public enum ProcessEnd: Sendable, Hashable {
    /// It left by itself with this status.
    case exited(Int32)
    /// A signal ended it.
    case signalled(Int32)
}

/// A child process of the driver.
///
/// It holds the read end of a pipe as its standard input: when the driver ends in whatever way, the pipe breaks and the
/// child can tell. Safe from any task.
public final class ChildProcess: Sendable {
    // Foundation's Process is not Sendable: it is used under this lock only.
    private let process: Mutex<Process>
    private let lifeline: FileHandle
    private let ending = Ending()

    /// The number that the system gave it.
    public let id: Int32

    /// Starts a program; what it writes goes to a file.
    ///
    /// - Parameters:
    ///   - logPath: a file to which its standard output and error are appended.
    /// - Throws: when the program or the file cannot be opened.
    public init(program: String, arguments: [String], logPath: String) throws {
        let child = Process()
        let pipe = Pipe()
        child.executableURL = URL(filePath: program)
        child.arguments = arguments
        child.standardInput = pipe
        let log = try Self.appending(to: logPath)
        child.standardOutput = log
        child.standardError = log
        let ending = ending
        child.terminationHandler = { ended in
            let signalled = ended.terminationReason == .uncaughtSignal
            ending.reach(signalled ? .signalled(ended.terminationStatus) : .exited(ended.terminationStatus))
        }
        try child.run()
        try log.close()
        id = child.processIdentifier
        lifeline = pipe.fileHandleForWriting
        process = Mutex(child)
        Self.watch(id, ending)
    }

    // Foundation hears of a child's end through a socket that a sibling, started at the same moment, may inherit: then
    // it hears of it only when the sibling ends too. So a thread asks the system, and leaves the reaping to Foundation.
    private static func watch(_ id: Int32, _ ending: Ending) {
        Thread {
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0 {
                // Reaped already: Foundation has told how it ended.
                guard errno == EINTR else { return }
            }
            let status = info._sifields._sigchld.si_status
            ending.reach(info.si_code == CLD_EXITED ? .exited(status) : .signalled(status))
        }.start()
    }

    deinit { send(SIGKILL) }

    /// Whether it has not ended yet.
    public var isRunning: Bool { ending.reached == nil }

    /// Sends a signal, unless it has ended: another process may have its number by then.
    public func send(_ signal: Int32) {
        process.withLock { if $0.isRunning { _ = kill($0.processIdentifier, signal) } }
    }

    /// Breaks the pipe, as the driver's own end would.
    public func letGo() { try? lifeline.close() }

    /// Waits until it has ended.
    public func end() async -> ProcessEnd { await ending.wait() }

    private static func appending(to path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(filePath: path))
        }
        let log = try FileHandle(forWritingTo: URL(filePath: path))
        try log.seekToEnd()
        return log
    }
}

/// The end of a process, which comes once and may be waited for by many.
private final class Ending: Sendable {
    private struct State {
        var end: ProcessEnd?
        var waiters: [CheckedContinuation<ProcessEnd, Never>] = []
    }

    private let state = Mutex(State())

    var reached: ProcessEnd? { state.withLock { $0.end } }

    func reach(_ end: ProcessEnd) {
        let waiters = state.withLock { state -> [CheckedContinuation<ProcessEnd, Never>] in
            guard state.end == nil else { return [] }
            state.end = end
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: end) }
    }

    func wait() async -> ProcessEnd {
        await withCheckedContinuation { waiter in
            let end = state.withLock { state in
                if state.end == nil { state.waiters.append(waiter) }
                return state.end
            }
            if let end { waiter.resume(returning: end) }
        }
    }
}
