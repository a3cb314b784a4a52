// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    public import Glibc
#else
    public import Darwin
#endif

/// Nanoseconds of a clock that only goes forward.
public func nanoseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// The time and what two processes have used until then, as the kernel counts it.
struct Moment {
    let nanoseconds: UInt64
    let client: Double
    let server: Double?

    /// - Parameter server: the server's process, if it is known.
    init(server process: Int32?) {
        server = process.flatMap { ProcessTimes.processor(of: $0) }
        client = ProcessTimes.ownProcessor
        nanoseconds = BenchLoad.nanoseconds()
    }
}

/// Linux' accounts of processes.
public enum ProcessTimes {
    /// Microseconds of processor time of this process.
    static var ownProcessor: Double { Double(nanoseconds(CLOCK_PROCESS_CPUTIME_ID)) / 1000 }

    /// Microseconds of processor time of a process; nil when it is unknown.
    static func processor(of process: Int32) -> Double? {
        // The name in parentheses may hold anything; utime and stime are the 14th and 15th field.
        guard let text = contents("/proc/\(process)/stat"), let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[name...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return nil }
        return (user + system) * 1e6 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident KiB of a process; nil when it is unknown.
    public static func residentKiB(of process: Int32) -> Int? {
        contents("/proc/\(process)/status")?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?
            .split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
    }

    private static func contents(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
