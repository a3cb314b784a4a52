// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import CLibuv

/// How much of the memory that a process may have is resident: a signal for load shedding.
public struct MemoryLoad: LoadSignal {
    /// `memory`.
    public var name: String { "memory" }

    private let limit: UInt64

    /// Measures the process' memory.
    ///
    /// - Parameter limit: the bytes that count as a load of 1; nil takes what the control group allows, or else what
    ///   the machine has.
    public init(limit: Int? = nil) {
        self.limit = max(1, limit.map { UInt64(max(1, $0)) } ?? MemoryLimit.bytes)
    }

    /// Resident bytes as a part of the limit; 0 when the system does not tell.
    public func load() -> Double {
        var resident = 0
        guard uv_resident_set_memory(&resident) == 0 else { return 0 }
        return Double(resident) / Double(limit)
    }
}
