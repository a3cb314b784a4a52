// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Testing

@testable import ApusCLI

@Suite(.timeLimit(.minutes(5)))
struct TopProgramTests {
    @Test func `a registry with more instances than a view can show is refused`() throws {
        let many = (0...1000).map { "10.0.0.1:\($0)" }
        #expect(try TopCommand.view(of: Array(many.dropLast())).count == 1000)
        let mistake = #expect(throws: Mistake.self) { try TopCommand.view(of: many) }
        #expect(mistake?.text.hasPrefix("1001 instances are too many") == true)
        #expect(throws: Mistake.self) { try TopCommand.view(of: []) }
    }

    @Test func `a view tells who serves and who is away`() async throws {
        let (parrot, gone) = (try LoopbackParrot(), try LoopbackParrot())
        let away = gone.address
        await gone.stop()
        // Whoever is asked is given as long as a loaded machine needs.
        let end = try await ToolProcess.run("top", parrot.address, away, "--once", "--every", "10s")
        let lines = end.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix(parrot.address) && $0.contains("  SERVING  ") }, "\(end.output)")
        #expect(lines.contains { $0.hasPrefix(away) && $0.contains("  AWAY ") }, "\(end.output)")
        #expect(end.status == 1)
        await parrot.stop()
    }
}
