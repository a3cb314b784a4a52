// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Testing

/// Clients and servers under seeded faults, in a world without real time. `make soak SEEDS=n` plays more of them,
/// `make soak SEED=k` one, with its trace.
@Suite struct SimulationTests {
    private static let parts = 8

    private static let seeds = ProcessInfo.processInfo.environment["APUS_SEEDS"].flatMap { UInt64($0) } ?? 1000
    private static let only = ProcessInfo.processInfo.environment["APUS_SEED"].flatMap { UInt64($0) }

    /// The seeds of one part.
    private static func seeds(_ part: Int) -> [UInt64] {
        if let only { return part == 0 ? [only] : [] }
        return Array(stride(from: UInt64(part) + 1, through: seeds, by: parts))
    }

    @Test(arguments: 0..<parts)
    func `every call ends once, rightly and whole, whatever happens to its connection`(_ part: Int) async throws {
        let seeds = Self.seeds(part)
        let failures = try await script {
            try seeds.flatMap { seed in
                let report = try SimulatedWorld.run(seed: seed)
                if Self.only != nil { print(report.trace.joined(separator: "\n")) }
                return report.violations.map { "\($0) (make soak SEED=\(seed))" }
            }
        }
        #expect(failures == [])
    }

    @Test func `the same seed gives the same trace`() async throws {
        let differences = try await script {
            try (UInt64(1)...50).compactMap { seed -> String? in
                let (first, second) = (
                    try SimulatedWorld.run(seed: seed).trace, try SimulatedWorld.run(seed: seed).trace
                )
                guard first != second else { return nil }
                let both = zip(first, second).first { $0 != $1 }
                return "seed \(seed): \(both?.0 ?? "the end") and \(both?.1 ?? "the end")"
            }
        }
        #expect(differences == [])
    }

    #if os(Linux)
        @Test func `another process gives the same trace`() async {
            let (first, second) = (await traceOfAnotherProcess(), await traceOfAnotherProcess())
            #expect(first.count > 100)
            #expect(first == second)
        }

        // Hashes and addresses are other ones there.
        private func traceOfAnotherProcess() async -> [Substring] {
            let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
                let trace = try await script { try (UInt64(1)...25).flatMap { try SimulatedWorld.run(seed: $0).trace } }
                for line in trace { print("trace: \(line)") }
            }
            let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
            return text.split(separator: "\n").filter { $0.hasPrefix("trace: ") }
        }
    #endif

    @Test func `the worlds are not all alike`() async throws {
        let codes = try await script {
            try (1...60).reduce(into: [Status.Code: Int]()) { sum, seed in
                sum.merge(try SimulatedWorld.run(seed: seed).codes, uniquingKeysWith: +)
            }
        }
        for code in [Status.Code.ok, .unavailable, .deadlineExceeded, .cancelled, .failedPrecondition] {
            #expect(codes[code, default: 0] > 10, "\(code): \(codes)")
        }
    }
}
