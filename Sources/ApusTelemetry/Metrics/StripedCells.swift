// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Numbers that many threads add to: each thread, more or less, has a copy of all of them, and a reader adds those up.
///
/// No lock, and seldom two threads at one cache line.
struct StripedCells: ~Copyable, Sendable {
    private static var cacheLine: Int { 64 }

    // Owned from init to deinit; atomics may be shared.
    private nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<Int>>
    private let count: Int
    private let stride: Int
    private let stripes: Int

    /// - Parameters:
    ///   - count: how many numbers.
    ///   - stripes: how many copies, a power of two.
    init(_ count: Int, stripes: Int) {
        let wordsInLine = Self.cacheLine / MemoryLayout<Int>.stride
        self.count = count
        self.stripes = stripes
        stride = (count + wordsInLine - 1) / wordsInLine * wordsInLine
        let words = stride * stripes
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: words * MemoryLayout<Atomic<Int>>.stride, alignment: Self.cacheLine)
        cells = memory.bindMemory(to: Atomic<Int>.self, capacity: words)
        for index in 0..<words { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: stride * stripes)
        UnsafeMutableRawPointer(cells).deallocate()
    }

    /// Adds to the number at `index`, which must be below the count.
    func add(_ value: Int, at index: Int) {
        cells[stripe + index].wrappingAdd(value, ordering: .relaxed)
    }

    /// Counts one at `index` and adds `value` at `sum`.
    func count(at index: Int, adding value: Int, at sum: Int) {
        let stripe = stripe
        cells[stripe + index].wrappingAdd(1, ordering: .relaxed)
        cells[stripe + sum].wrappingAdd(value, ordering: .relaxed)
    }

    /// All numbers, each the sum of its copies.
    var sums: [Int] {
        (0..<count).map { index in
            (0..<stripes).reduce(0) { $0 &+ cells[$1 * stride + index].load(ordering: .relaxed) }
        }
    }

    private var stripe: Int { ThreadStripe.index(of: stripes) * stride }
}
