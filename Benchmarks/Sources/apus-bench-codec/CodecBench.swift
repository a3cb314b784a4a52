// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Encodes and decodes the same messages with Apus, with plain protobuf-c and with swift-protobuf, by turns.
@main
struct CodecBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench-codec",
        abstract: "What messages cost: Apus, protobuf-c from C, and swift-protobuf in one run.")

    @Option(help: "Rounds; of each figure the median counts.")
    var rounds = 41

    @Option(help: "Only this row: \(Row.allCases.map(\.rawValue).joined(separator: ", ")).")
    var row: Row?

    @Option(help: "Only decode or encode.")
    var direction: Direction?

    @Option(help: "Only apus, protobuf-c or swift-protobuf.")
    var contestant: Contestant?

    @Option(help: "Do the one task that the others name so often, and measure nothing: for profilers.")
    var times: Int?

    @Flag(help: "Lines of JSON behind the table.")
    var json = false

    @Flag(help: "Measure instead what messages cost that were made to be expensive.")
    var hostile = false

    func run() throws {
        if hostile { return Hostile.printAll() }
        if let times {
            guard let row, let direction, let contestant else {
                throw ValidationError("--times needs a row, a direction and a contestant")
            }
            return try row.task(direction, contestant)(times)
        }
        var measurements = try tasks().map { try Measurement($0, $1, $2) }
        for _ in 0..<max(1, rounds) {
            for index in measurements.indices { try measurements[index].addRound() }
        }
        let report = Report(measurements: measurements)
        report.printTable()
        if json { report.printJSON() }
    }

    private func tasks() -> [(Row, Direction, Contestant)] {
        var tasks: [(Row, Direction, Contestant)] = []
        for row in Row.allCases where self.row ?? row == row {
            for direction in Direction.allCases where self.direction ?? direction == direction {
                for contestant in Contestant.allCases where self.contestant ?? contestant == contestant {
                    tasks.append((row, direction, contestant))
                }
            }
        }
        return tasks
    }
}

extension Row: ExpressibleByArgument {}
extension Direction: ExpressibleByArgument {}
extension Contestant: ExpressibleByArgument {}
