// SPDX-License-Identifier: Apache-2.0

/// A run's figures as a table and as lines of JSON.
struct Report {
    let measurements: [Measurement]

    private func median(_ row: Row, _ direction: Direction, _ contestant: Contestant) -> Double? {
        find(row, direction, contestant)?.median
    }

    private func find(_ row: Row, _ direction: Direction, _ contestant: Contestant) -> Measurement? {
        measurements.first { $0.row == row && $0.direction == direction && $0.contestant == contestant }
    }

    func printTable() {
        var titles = [cell("", 24), cell("", 7)]
        titles += Contestant.allCases.map { right("\($0.rawValue) ns", 18) }
        titles += [right("x protobuf-c", 14), right("x swift-pb", 12)]
        titles += Contestant.allCases.map { right("\($0.rawValue) allocs", 22) }
        print(titles.joined())
        for row in Row.allCases {
            for direction in Direction.allCases where median(row, direction, .apus) != nil {
                print(line(row, direction))
            }
        }
        printMean()
    }

    private func line(_ row: Row, _ direction: Direction) -> String {
        var cells = [cell(row.title, 24), cell(direction.rawValue, 7)]
        cells += Contestant.allCases.map { right(decimal(median(row, direction, $0), 0), 18) }
        cells.append(right(decimal(ratio(row, direction, .apus, .protobufC), 2), 14))
        cells.append(right(decimal(ratio(row, direction, .swiftProtobuf, .apus), 2), 12))
        cells += Contestant.allCases.map { right(decimal(find(row, direction, $0)?.allocations, 1), 22) }
        return cells.joined()
    }

    private func ratio(_ row: Row, _ direction: Direction, _ over: Contestant, _ under: Contestant) -> Double? {
        guard let over = median(row, direction, over), let under = median(row, direction, under) else { return nil }
        return over / under
    }

    private func printMean() {
        let ratios = Row.allCases.flatMap { row in
            Direction.allCases.compactMap { ratio(row, $0, .swiftProtobuf, .apus) }
        }
        guard !ratios.isEmpty else { return }
        print("As fast as swift-protobuf, geometric mean: \(decimal(geometricMean(ratios), 2))")
    }

    func printJSON() {
        for each in measurements {
            let allocations = each.allocations.map { "\($0)" } ?? "null"
            print(
                #"{"row":"\#(each.row.rawValue)","direction":"\#(each.direction.rawValue)","#
                    + #""contestant":"\#(each.contestant.rawValue)","bytes":\#(each.byteCount),"#
                    + #""medianNanoseconds":\#(each.median),"allocations":\#(allocations),"#
                    + #""rounds":\#(each.nanoseconds.count)}"#)
        }
    }
}

func cell(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
