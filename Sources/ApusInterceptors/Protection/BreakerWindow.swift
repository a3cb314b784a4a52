// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The calls of the last time, in ten slices of it.
struct BreakerWindow: Sendable {
    private struct Slice {
        var calls = 0
        var failures = 0
        var slow = 0

        mutating func add(_ calls: Int, _ failures: Int, _ slow: Int) {
            self.calls += calls
            self.failures += failures
            self.slow += slow
        }
    }

    private static let count = 10
    private let slice: Int64
    private var slices = [Slice](repeating: Slice(), count: count)
    private var newest: Int64 = .min
    private var total = Slice()

    init(length: Duration) { slice = max(1, length.saturatedNanoseconds / Int64(Self.count)) }

    var calls: Int { total.calls }
    var failureRate: Double { share(total.failures) }
    var slowRate: Double { share(total.slow) }

    mutating func add(calls: Int, failures: Int, slow: Int, at now: MonotonicInstant) {
        let index = advance(to: now)
        slices[index].add(calls, failures, slow)
        total.add(calls, failures, slow)
    }

    mutating func clear() {
        slices = [Slice](repeating: Slice(), count: Self.count)
        total = Slice()
    }

    private func share(_ part: Int) -> Double { total.calls > 0 ? Double(part) / Double(total.calls) : 0 }

    private mutating func advance(to now: MonotonicInstant) -> Int {
        let number = now.nanoseconds / slice
        if number > newest {
            let steps = newest == .min ? Int64(Self.count) : min(number - newest, Int64(Self.count))
            for step in 0..<steps { drop(Self.index(number - step)) }
            newest = number
        }
        return Self.index(newest)
    }

    private mutating func drop(_ index: Int) {
        let old = slices[index]
        total.add(-old.calls, -old.failures, -old.slow)
        slices[index] = Slice()
    }

    private static func index(_ number: Int64) -> Int {
        let rest = Int(number % Int64(count))
        return rest < 0 ? rest + count : rest
    }
}
