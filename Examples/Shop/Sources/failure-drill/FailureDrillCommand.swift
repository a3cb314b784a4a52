// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import FailureDrill
import Foundation
import Processes

@main
struct FailureDrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failure-drill",
        abstract: "Kills, freezes, slows and restarts the instances of a service under load, and judges its client.",
        discussion: """
            Exits with 0 when no call failed that need not, and every ill instance was left. With --strict times count \
            as well: an instance that is frozen or slow is left within 3 s, and the calls of the others are as quick as \
            before.
            """)

    @Option(help: "Calls a second.")
    var rate = 2000

    @Flag(help: "A short drill with a tenth of the calls: what a busy machine can do.")
    var quick = false

    @Flag(help: "Judge times, too: on a machine that nobody else uses.")
    var strict = false

    @Option(
        help: "Only this fault: rolling-restart, registry-outage, kill, freeze, slow, errors. Repeatable.",
        transform: Self.scenario)
    var only: [Scenario] = []

    func validate() throws {
        guard (10...100_000).contains(rate) else { throw ValidationError("--rate is 10 to 100,000") }
    }

    func run() async throws {
        let drill = try FailureDrill(plan, worker: try Self.worker())
        let reports: [ScenarioReport]
        do {
            reports = try await drill.run { DriverProgram.say($0) }
        } catch {
            await drill.cleanUp()
            throw error
        }
        await drill.cleanUp()
        for line in ScenarioReport.table(reports) { DriverProgram.say(line) }
        for report in reports where report.failed > 0 {
            for error in report.errors.prefix(3) { DriverProgram.say("\(report.scenario.rawValue): \(error)") }
        }
        let faults = reports.flatMap { $0.faults(strict: strict) }
        for fault in faults { DriverProgram.say("fault: \(fault)") }
        DriverProgram.say(faults.isEmpty ? "PASSED" : "FAILED")
        if !faults.isEmpty { throw ExitCode.failure }
    }

    private var plan: FailureDrill.Plan {
        var plan = FailureDrill.Plan()
        plan.rate = quick ? 200 : rate
        if quick {
            plan.rest = .seconds(1)
            plan.fault = .seconds(4)
        }
        if !only.isEmpty { plan.scenarios = only }
        return plan
    }

    @Sendable
    private static func scenario(_ argument: String) throws -> Scenario {
        // rolling-restart is rollingRestart.
        let words = argument.split(separator: "-")
        let name = (words.first.map(String.init) ?? "") + words.dropFirst().map(\.capitalized).joined()
        guard let found = Scenario.allCases.first(where: { "\($0)" == name }) else {
            throw ValidationError("there is no fault '\(argument)'")
        }
        return found
    }

    /// The worker's program stands beside this one.
    private static func worker() throws -> String {
        guard let program = DriverProgram.sibling("drill-worker") else {
            throw ValidationError("the folder of this program cannot be found")
        }
        return program
    }
}
