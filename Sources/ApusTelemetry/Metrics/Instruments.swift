// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A counter that is its own store.
final class StripedCounter: CounterInstrument {
    private let cells: StripedCells

    init(stripes: Int) { cells = StripedCells(1, stripes: stripes) }

    func add(_ count: Int) { cells.add(max(0, count), at: 0) }

    var value: Int { cells.sums[0] }
}

/// A number that goes up and down.
final class AtomicGauge: GaugeInstrument {
    private let number = Atomic<Int>(0)

    func add(_ difference: Int) { number.wrappingAdd(difference, ordering: .relaxed) }
    func set(_ value: Int) { number.store(value, ordering: .relaxed) }

    var value: Int { number.load(ordering: .relaxed) }
}

/// A histogram with fixed buckets.
final class StripedHistogram: HistogramInstrument {
    let bounds: [Int]
    // A cell for each bucket, one for what is above the last bound, and the sum.
    private let cells: StripedCells

    init(bounds: [Int], stripes: Int) {
        self.bounds = bounds
        cells = StripedCells(bounds.count + 2, stripes: stripes)
    }

    func record(_ value: Int) {
        let value = max(0, value)
        cells.count(at: bucket(of: value), adding: value, at: bounds.count + 1)
    }

    // The first whose bound is not below the value: bounds belong to their buckets, as Prometheus' `le` says.
    private func bucket(of value: Int) -> Int {
        bounds.withUnsafeBufferPointer { bounds in
            var (low, high) = (0, bounds.count)
            while low < high {
                let middle = (low + high) / 2
                if bounds[middle] < value { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// Counts by bucket, the one above the last bound included, and the sum of all values.
    var value: (buckets: [Int], sum: Int) {
        var sums = cells.sums
        let sum = sums.removeLast()
        return (sums, sum)
    }
}
