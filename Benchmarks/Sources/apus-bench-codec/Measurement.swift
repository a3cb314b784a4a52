// SPDX-License-Identifier: Apache-2.0

import CAllocationCount

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One task's times in the rounds of a run.
struct Measurement {
    let row: Row
    let direction: Direction
    let contestant: Contestant
    let byteCount: Int
    /// How often the heap is asked for memory, on average; nil where that cannot be counted.
    let allocations: Double?
    private let task: Task
    /// How often the task is done in a round.
    private let times: Int
    /// Of each round, nanoseconds of the processor for doing the task once.
    private(set) var nanoseconds: [Double] = []

    private static let roundNanoseconds = 4_000_000.0

    init(_ row: Row, _ direction: Direction, _ contestant: Contestant) throws {
        self.row = row
        self.direction = direction
        self.contestant = contestant
        byteCount = try row.bytes().count
        task = try row.task(direction, contestant)
        // The first time fills caches and links tables.
        try task(8)
        allocations = try Self.allocations(of: task)
        times = try Self.times(of: task)
    }

    private static func allocations(of task: Task) throws -> Double? {
        let times = 16
        let before = allocation_count()
        try task(times)
        return before < 0 ? nil : Double(allocation_count() - before) / Double(times)
    }

    private static func times(of task: Task) throws -> Int {
        var times = 1
        while true {
            let taken = try processorTime { try task(times) }
            if taken >= roundNanoseconds / 4 { return max(1, Int(Double(times) * roundNanoseconds / taken)) }
            times *= 4
        }
    }

    mutating func addRound() throws {
        nanoseconds.append(try processorTime { try task(times) } / Double(times))
    }

    var median: Double {
        let sorted = nanoseconds.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// Time of this thread on a processor, in nanoseconds: what others do on the machine counts for little.
func processorTime(_ work: () throws -> Void) rethrows -> Double {
    let start = clock_gettime_nsec(CLOCK_THREAD_CPUTIME_ID)
    try work()
    return Double(clock_gettime_nsec(CLOCK_THREAD_CPUTIME_ID) - start)
}

#if canImport(Glibc)
    private func clock_gettime_nsec(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
#else
    private func clock_gettime_nsec(_ clock: clockid_t) -> Int64 { Int64(clock_gettime_nsec_np(clock)) }
#endif
