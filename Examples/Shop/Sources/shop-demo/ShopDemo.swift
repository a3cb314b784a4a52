// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation
import ShopDrill

@main
struct ShopDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-demo",
        abstract: "Runs a shop of five processes, kills one and stops another while customers shop, and judges.",
        discussion: "Exits with 0 when no call failed, no effect happened twice, and the shares were fair.")

    @Option(help: "Make at least so many calls.")
    var calls = 4000

    @Option(help: "Go on for at least so many seconds.")
    var seconds = 24.0

    @Flag(help: "As quick as the calls are made: no least time, and customers who never rest.")
    var quick = false

    @Flag(help: "Keep the folder with the registry, databases and logs.")
    var keep = false

    @Flag(help: "Balance with dice that are not fair, to see the drill fail.")
    var loadedDice = false

    func validate() throws {
        guard (100...1_000_000).contains(calls) else { throw ValidationError("--calls is 100 to 1,000,000") }
        guard (0...3600).contains(seconds) else { throw ValidationError("--seconds is 0 to 3600") }
    }

    func run() async throws {
        let drill = try LiveDrill(plan, programs: try Self.programs(), random: random)
        let interruption = Interruption { drill.cleanUp(keepFolder: keep) }
        defer { interruption.end() }
        let verdict: Verdict
        do {
            verdict = try await drill.run()
        } catch {
            drill.cleanUp(keepFolder: keep)
            throw error
        }
        drill.cleanUp(keepFolder: keep)
        if !verdict.passed { throw ExitCode.failure }
    }

    private var plan: LiveDrill.Plan {
        var plan = LiveDrill.Plan()
        plan.calls = calls
        plan.duration = quick ? .zero : .seconds(seconds)
        if quick { plan.pause = .zero }
        return plan
    }

    private var random: any RandomSource { loadedDice ? LoadedDice() : SplitMixRandom.shared }

    /// The services' programs stand beside this one.
    private static func programs() throws -> URL {
        guard let program = Bundle.main.executableURL else {
            throw ValidationError("the folder of this program cannot be found")
        }
        return program.resolvingSymlinksInPath().deletingLastPathComponent()
    }
}
