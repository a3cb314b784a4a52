// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Seconds and billionths since 1970-01-01T00:00:00Z, as the system's clock shows them.
func wallClock() -> (seconds: Int64, nanos: Int32) {
    // The words of a timespec: its members are not always visible by the name of the system's library.
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { words in
        words.initialize(repeating: 0)
        words.withMemoryRebound(to: timespec.self) { time in
            if let time = time.baseAddress { clock_gettime(CLOCK_REALTIME, time) }
        }
        return (Int64(words[0]), Int32(truncatingIfNeeded: words[1]))
    }
}
