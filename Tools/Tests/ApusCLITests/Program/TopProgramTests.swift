// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct TopProgramTests {
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
