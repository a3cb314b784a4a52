// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A program of the project in a process of its own: one with a stranger's gRPC, out of `.peers`, or one of ours.
///
/// Its standard input is a pipe that breaks when this process ends in whatever way: then a stranger's ends too.
/// Released, it is killed. Safe from any task.
final class PeerProcess: Sendable {
    /// Nothing to run it with.
    struct Missing: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "there is no \(path): install and build it with 'make peers build' (in the project's folder)"
        }
    }

    /// It failed, or did not say what was expected.
    struct Failure: Error, CustomStringConvertible {
        let program: String
        let status: Int32
        let output: String
        var description: String { "\(program) ended with status \(status):\n\(output)" }
    }

    // Foundation's Process is not Sendable: it is used under this lock only.
    private let process: Mutex<Process>
    private let lifeline: FileHandle
    private let lines: AsyncStream<String>
    private let ending: Task<Int32, Never>
    private let program: String

    /// Starts a Python program, named by its path inside the project.
    ///
    /// - Throws: ``Missing`` with the command that installs what is missing.
    convenience init(python program: String, _ arguments: [String] = []) throws {
        try Self.need(Self.root.appending(path: ".peers/gen"))
        let script = Self.root.appending(path: program).path
        try self.init(program, Self.root.appending(path: ".peers/bin/python"), ["-u", script] + arguments)
    }

    /// Starts a C++ program, named as `.ci/peers-cpp` names it.
    ///
    /// - Throws: ``Missing`` with the command that builds it.
    convenience init(cpp program: String, _ arguments: [String] = []) throws {
        try self.init(program, Self.root.appending(path: ".peers/cpp/\(program)"), arguments)
    }

    /// Starts a product of the package that is under test, as it was built with the tests.
    ///
    /// - Throws: ``Missing`` with the command that builds it.
    convenience init(product: String, _ arguments: [String] = []) throws {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        let folder = bundle?.bundleURL.deletingLastPathComponent() ?? Bundle.main.bundleURL
        try self.init(product, folder.appending(path: product), arguments)
    }

    private init(_ program: String, _ executable: URL, _ arguments: [String]) throws {
        try Self.need(executable)
        let child = Process()
        let (input, output) = (Pipe(), Pipe())
        child.executableURL = executable
        child.arguments = arguments
        child.standardInput = input
        child.standardOutput = output
        child.standardError = output
        let (ends, end) = AsyncStream<Int32>.makeStream()
        child.terminationHandler = { end.yield($0.terminationStatus) }
        try child.run()
        self.program = program
        lifeline = input.fileHandleForWriting
        lines = Self.lines(of: output.fileHandleForReading)
        ending = Task {
            for await status in ends { return status }
            return -1
        }
        process = Mutex(child)
    }

    deinit { stop() }

    // The folder above this file that holds the script which makes `.peers`.
    private static var root: URL {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.appending(path: ".ci/peers").path) {
            folder.deleteLastPathComponent()
        }
        return folder
    }

    private static func need(_ file: URL) throws {
        guard FileManager.default.fileExists(atPath: file.path) else { throw Missing(path: file.path) }
    }

    /// Kills it.
    func stop() { send(SIGKILL) }

    /// Sends it a signal, unless it has ended: another process may have its number by then.
    func send(_ signal: Int32) { process.withLock { if $0.isRunning { _ = kill($0.processIdentifier, signal) } } }

    /// The first line of its output.
    ///
    /// - Throws: ``Failure`` when it ended without one.
    func firstLine() async throws -> String {
        for await line in lines { return line }
        throw Failure(program: program, status: await ending.value, output: "")
    }

    /// Waits until it has ended.
    ///
    /// - Returns: its status and the rest of its output.
    func end() async -> (status: Int32, output: String) {
        var output = ""
        for await line in lines { output += line + "\n" }
        return (await ending.value, output)
    }

    /// Waits until it has ended.
    ///
    /// - Returns: its output.
    /// - Throws: ``Failure`` with its output when its status is not 0.
    @discardableResult
    func succeeds() async throws -> String {
        let (status, output) = await end()
        guard status == 0 else { throw Failure(program: program, status: status, output: output) }
        return output
    }

    // Reading blocks, so it has a thread of its own, which ends with the program.
    private static func lines(of handle: FileHandle) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream<String>.makeStream()
        Thread.detachNewThread {
            var rest = Data()
            while case let piece = handle.availableData, !piece.isEmpty {
                rest += piece
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
            if !rest.isEmpty { continuation.yield(String(decoding: rest, as: UTF8.self)) }
            continuation.finish()
        }
        return stream
    }
}
