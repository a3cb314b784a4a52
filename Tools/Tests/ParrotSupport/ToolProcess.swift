// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The program `apus`, as it was built with the tests, in a process of its own. Released, it is killed.
package final class ToolProcess: Sendable {
    /// How it ended, and what it wrote.
    package struct End: Sendable {
        package let status: Int32
        package let output: String
        package let errors: String
    }

    package struct CannotRun: Error {
        let program: String
        let code: Int32
    }

    /// A process that is waited for by one, and may be killed by others: never once its number may be another's.
    private final class Life: Sendable {
        private let id: pid_t
        private let isOver = Mutex(false)

        init(_ id: pid_t) { self.id = id }

        func send(_ signal: Int32) { isOver.withLock { if !$0 { kill(id, signal) } } }

        /// - Returns: the status; a signal's number below 0.
        func wait() -> Int32 {
            // It has ended, and keeps its number until it is taken away.
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            var status: Int32 = 0
            isOver.withLock { isOver in
                while waitpid(id, &status, 0) == -1, errno == EINTR {}
                isOver = true
            }
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : -signal
        }
    }

    private let input: Mutex<FileHandle?>
    private let lines: AsyncStream<String>
    private let ending: Task<End, Never>
    private let life: Life

    /// Starts it.
    ///
    /// - Parameters:
    ///   - input: what it reads; nil leaves its standard input open for ``write(_:)``.
    ///   - hasReader: whether anybody reads its output; else it writes into a pipe without another end.
    package init(
        _ arguments: [String], input text: String? = "", environment: [String: String] = [:], hasReader: Bool = true
    ) throws {
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        // Nobody else's children may hold our ends: who waits for their end would wait for those children.
        for handle in [input, output, errors].flatMap({ [$0.fileHandleForReading, $0.fileHandleForWriting] }) {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        if !hasReader { try output.fileHandleForReading.close() }
        let id = try Self.spawn(
            [Self.program.path] + arguments, environment,
            [input.fileHandleForReading, output.fileHandleForWriting, errors.fileHandleForWriting])
        try input.fileHandleForReading.close()
        try output.fileHandleForWriting.close()
        try errors.fileHandleForWriting.close()
        self.input = Mutex(input.fileHandleForWriting)
        let (lines, sink) = AsyncStream<String>.makeStream()
        self.lines = lines
        let life = Life(id)
        self.life = life
        let complaints = Task { await Self.onThread { Self.read(errors.fileHandleForReading) { _ in } } }
        let answer = Task {
            await Self.onThread {
                defer { sink.finish() }
                return !hasReader ? "" : Self.read(output.fileHandleForReading) { sink.yield($0) }
            }
        }
        ending = Task {
            let (output, errors) = (await answer.value, await complaints.value)
            let status = await Self.onThread { life.wait() }
            return End(status: status, output: output, errors: errors)
        }
        if let text {
            write(text)
            closeInput()
        }
    }

    deinit { life.send(SIGKILL) }

    /// Runs it to its end.
    package static func run(
        _ arguments: String..., input: String = "", environment: [String: String] = [:]
    ) async throws -> End {
        try await ToolProcess(arguments, input: input, environment: environment).end()
    }

    /// Writes to its standard input.
    package func write(_ text: String) { input.withLock { try? $0?.write(contentsOf: Data(text.utf8)) } }

    /// Ends its standard input.
    package func closeInput() {
        input.withLock { handle in
            try? handle?.close()
            handle = nil
        }
    }

    /// Its next line; nil after the last. For one reader.
    package func nextLine() async -> String? {
        for await line in lines { return line }
        return nil
    }

    /// Sends it a signal.
    package func send(_ signal: Int32) { life.send(signal) }

    /// Waits until it has ended.
    package func end() async -> End { await ending.value }

    private static var program: URL {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        return (bundle?.bundleURL.deletingLastPathComponent() ?? Bundle.main.bundleURL).appending(path: "apus")
    }

    // Loopback must not go through the proxy of whoever runs the tests.
    private static func environment(_ changes: [String: String]) -> [String] {
        var result = ProcessInfo.processInfo.environment.filter { !$0.key.lowercased().hasSuffix("_proxy") }
        result.merge(changes) { $1 }
        return result.map { "\($0)=\($1)" }
    }

    private static func spawn(
        _ arguments: [String], _ changes: [String: String], _ streams: [FileHandle]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, handle) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, Int32(number))
        }
        // A program that has gone must not end this process with a signal; what is ignored here, children would be, too.
        signal(SIGPIPE, SIG_IGN)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGPIPE, SIGINT] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        let words = arguments.map { strdup($0) }
        let variables = environment(changes).map { strdup($0) }
        defer { for text in words + variables { free(text) } }
        var id = pid_t()
        let code = posix_spawn(&id, arguments[0], &actions, &attributes, words + [nil], variables + [nil])
        guard code == 0 else { throw CannotRun(program: arguments[0], code: code) }
        return id
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    private static func read(_ handle: FileHandle, _ line: (String) -> Void) -> String {
        var all = Data()
        var rest = Data()
        while case let piece = handle.availableData, !piece.isEmpty {
            all += piece
            rest += piece
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                line(String(decoding: rest[..<end], as: UTF8.self))
                rest = Data(rest[(end + 1)...])
            }
        }
        return String(decoding: all, as: UTF8.self)
    }
}
