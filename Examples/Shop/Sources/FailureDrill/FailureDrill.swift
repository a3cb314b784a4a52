// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Foundation

/// Five instances, a steady load, and one fault after the other.
public final class FailureDrill: Sendable {
    /// How much of everything.
    public struct Plan: Sendable {
        /// Instances of the service.
        public var instances = 5
        /// Calls a second.
        public var rate = 2000
        /// The time before a fault and after it.
        public var rest = Duration.seconds(4)
        /// The time of a fault.
        public var fault = Duration.seconds(8)
        /// Which faults, in their order.
        public var scenarios = Scenario.allCases

        /// The whole drill.
        public init() {}
    }

    private let plan: Plan
    private let workers: Workers

    /// A drill.
    ///
    /// - Parameter worker: the path of `drill-worker`.
    /// - Throws: ``DrillError`` when that is missing; when no folder can be made.
    public init(_ plan: Plan = Plan(), worker: String) throws {
        self.plan = plan
        workers = try Workers(program: worker)
    }

    /// The policies of the client under test: the default stack with limits for a service that answers in
    /// milliseconds.
    static func stack(_ registry: any Registry, _ witness: TryWitness) -> [any ClientInterceptor] {
        var stack = DefaultStack()
        stack.timeout = .seconds(2)
        stack.tries = Retry(.exponential(), perTry: .milliseconds(300), budget: RetryBudget())
        var rules = BreakerRules()
        rules.window = .seconds(2)
        rules.failureRate = 0.3
        rules.openFor = .seconds(1)
        stack.breaker = CircuitBreaker(rules: rules)
        var outliers = OutlierRules()
        outliers.interval = .seconds(1)
        outliers.baseEjection = .seconds(5)
        stack.outliers = OutlierEjection(rules: outliers)
        return stack.interceptors(with: registry) + [witness]
    }

    /// Runs the scenarios one after the other.
    ///
    /// - Parameter say: is told what happens, a line at a time.
    /// - Throws: ``DrillError`` when a process does not do what it is told.
    public func run(_ say: (String) -> Void = { _ in }) async throws -> [ScenarioReport] {
        var names = (1...max(2, plan.instances)).map { "worker-\($0)" }
        for name in names { try await workers.start(name) }
        var reports: [ScenarioReport] = []
        for scenario in plan.scenarios {
            say("\(scenario.rawValue) …")
            reports.append(try await run(scenario, &names))
        }
        for name in names { try await workers.stop(name) }
        return reports
    }

    /// Ends all processes and removes the drill's folder.
    public func cleanUp() async { await workers.killAll() }

    private func run(_ scenario: Scenario, _ names: inout [String]) async throws -> ScenarioReport {
        let record = Record()
        let channel = Channel(
            Workers.service, interceptors: Self.stack(workers.registry, TryWitness(record: record)))
        defer { channel.close() }
        let load = OpenLoad(client: Worker.Client(channel), rate: plan.rate, record: record)
        let running = Task { await load.run() }
        let victim = names[0]
        var moments: ScenarioReport.Moments
        do {
            defer { running.cancel() }
            moments = try await disturb(scenario, &names, record)
        }
        await running.value
        moments.fairRate = Double(plan.rate) / Double(names.count)
        return ScenarioReport(scenario, record.calls, tries: record.tries(of: victim), victim: victim, moments)
    }

    private func disturb(
        _ scenario: Scenario, _ names: inout [String], _ record: Record
    ) async throws -> ScenarioReport.Moments {
        try await Task.sleep(for: plan.rest)
        let begin = record.now
        try await scenario.begin(workers, &names)
        let rest = plan.fault - (record.now - begin)
        if rest > .zero { try await Task.sleep(for: rest) }
        let end = record.now
        try await scenario.end(workers, &names)
        try await Task.sleep(for: plan.rest)
        return ScenarioReport.Moments(begin: begin, end: end, fairRate: 0)
    }
}
