// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ParrotSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LoadProgramTests {
    private static let say = "apus.tools.v1.Parrot/Say"

    @Test func `a closed loop calls a server, and its report and drawing are written`() async throws {
        let parrot = try LoopbackParrot()
        let scratch = try Scratch()
        let (json, svg) = (scratch.path + "/run.json", scratch.path + "/run.svg")
        let end = try await ToolProcess.run(
            "load", parrot.address, Self.say, "-d", #"{"text": "hi"}"#, "-c", "3", "--connections", "2",
            "--duration", "3s", "--json", json, "--svg", svg)
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output.contains("closed loop, 3 lanes for 3.00 s, 2 connections"))
        #expect(end.output.contains(" 0 failed"))
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: json))) as? [String: Any]
        #expect(try #require(report?["calls"] as? Int) > 0)
        #expect(report?["failed"] as? Int == 0)
        #expect(try String(contentsOfFile: svg, encoding: .utf8).hasPrefix("<svg "))
        await parrot.stop()
    }

    @Test(arguments: ["Say", "Repeat", "Join", "Chat"])
    func `an open loop makes each kind of call as often as it is due`(method: String) async throws {
        let parrot = try LoopbackParrot()
        let end = try await ToolProcess.run(
            "load", parrot.address, "apus.tools.v1.Parrot/\(method)", "-d", #"{"text": "a"} {"text": "b"}"#,
            "--rate", "40", "--duration", "500ms", "--json", "-")
        let report = try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [String: Any]
        #expect(report?["calls"] as? Int == 20, "\(end.errors)")
        #expect(report?["failed"] as? Int == 0)
        await parrot.stop()
    }

    @Test func `when every call fails the status is that of the calls`() async throws {
        let parrot = try LoopbackParrot()
        let end = try await ToolProcess.run(
            "load", parrot.address, Self.say, "-d", #"{"text": "no", "failure": 7}"#, "--rate", "20",
            "--duration", "250ms")
        #expect(end.status == 7)
        #expect(end.output.contains("  failed   5 PERMISSION_DENIED, such as: PERMISSION_DENIED: no"))
        #expect(end.errors == "")
        await parrot.stop()
    }

    @Test func `an interrupted run ends with its report`() async throws {
        let parrot = try LoopbackParrot()
        let process = try ToolProcess(
            ["load", parrot.address, Self.say, "-d", "{}", "-c", "1", "--duration", "10m", "--json", "-"])
        // Calls come, so the run has begun.
        while parrot.running.counts.calls < 5 { try await Task.sleep(for: .milliseconds(20)) }
        process.send(SIGINT)
        let end = await process.end()
        #expect(end.status == 0)
        #expect(end.output.contains("\"calls\" :"))
        await parrot.stop()
    }
}
