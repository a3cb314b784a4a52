// SPDX-License-Identifier: Apache-2.0

import Foundation
import Processes
import Testing

@Suite struct ChildProcessTests {
    let log = FileManager.default.temporaryDirectory.appending(path: "drill-\(UUID().uuidString).log").path()

    func shell(_ script: String) throws -> ChildProcess {
        try ChildProcess(program: "/bin/sh", arguments: ["-c", script], logPath: log)
    }

    func takeLog() throws -> String {
        defer { try? FileManager.default.removeItem(atPath: log) }
        return try String(contentsOfFile: log, encoding: .utf8)
    }

    @Test func `a program that leaves gives its status, and its output is kept`() async throws {
        let first = try shell("echo one; echo two >&2; exit 7")
        #expect(await first.end() == .exited(7))
        #expect(!first.isRunning)
        #expect(await (try shell("echo three")).end() == .exited(0))
        #expect(try takeLog() == "one\ntwo\nthree\n")
    }

    @Test func `a signal ends it`() async throws {
        let process = try shell("exec sleep 600")
        #expect(process.isRunning)
        process.send(SIGKILL)
        #expect(await process.end() == .signalled(SIGKILL))
        process.send(SIGKILL)
        #expect(await process.end() == .signalled(SIGKILL))
        _ = try takeLog()
    }

    @Test func `a child is killed with its last user`() async throws {
        var process: ChildProcess? = try shell("exec sleep 600")
        let id = try #require(process?.id)
        process = nil
        while kill(id, 0) == 0 { await Task.yield() }
        _ = try takeLog()
    }

    @Test func `a child sees the end of its input only when the driver lets go`() async throws {
        let process = try shell("echo begun; cat; echo ended")
        while try !String(contentsOfFile: log, encoding: .utf8).contains("begun") { await Task.yield() }
        #expect(process.isRunning)
        process.letGo()
        #expect(await process.end() == .exited(0))
        #expect(try takeLog() == "begun\nended\n")
    }

    @Test func `a program that does not exist is refused`() throws {
        #expect(throws: (any Error).self) {
            try ChildProcess(program: "/nonexistent", arguments: [], logPath: log)
        }
        _ = try takeLog()
    }
}
