// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import FailureDrill
import Processes

@main
struct RolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Replaces every instance of a service, again and again, under calls and open streams.",
        discussion: """
            At last it tries a version that never gets ready. Exits with 0 when no call failed, no stream broke and \
            that version replaced nothing.
            """)

    @Option(help: "How often all instances are replaced.")
    var rounds = 50

    @Option(help: "Calls a second.")
    var rate = 2000

    @Option(help: "Streams that are open at once.")
    var streams = 50

    @Flag(help: "Five rounds with a tenth of the load: what a busy machine can do.")
    var quick = false

    func validate() throws {
        guard (1...10_000).contains(rounds) else { throw ValidationError("--rounds is 1 to 10,000") }
        guard (10...100_000).contains(rate) else { throw ValidationError("--rate is 10 to 100,000") }
        guard (1...10_000).contains(streams) else { throw ValidationError("--streams is 1 to 10,000") }
    }

    func run() async throws {
        let rollout = try Rollout(plan, worker: try Self.worker())
        let report: RolloutReport
        do {
            report = try await rollout.run { DriverProgram.say($0) }
        } catch {
            await rollout.cleanUp()
            throw error
        }
        await rollout.cleanUp()
        for line in report.lines { DriverProgram.say(line) }
        for fault in report.faults { DriverProgram.say("fault: \(fault)") }
        DriverProgram.say(report.faults.isEmpty ? "PASSED" : "FAILED")
        if !report.faults.isEmpty { throw ExitCode.failure }
    }

    private var plan: Rollout.Plan {
        var plan = Rollout.Plan()
        plan.rounds = quick ? min(rounds, 5) : rounds
        plan.rate = quick ? max(10, rate / 10) : rate
        plan.streams = quick ? max(1, streams / 10) : streams
        return plan
    }

    /// The worker's program stands beside this one.
    private static func worker() throws -> String {
        guard let program = DriverProgram.sibling("drill-worker") else {
            throw ValidationError("the folder of this program cannot be found")
        }
        return program
    }
}
