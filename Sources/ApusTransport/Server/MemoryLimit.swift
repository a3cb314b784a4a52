// SPDX-License-Identifier: Apache-2.0

import CLibuv

/// How much memory the process may use: what the machine has, or less where its control groups say so.
///
/// Source: the kernel's *Control Group v2*, `memory.max`. libuv knows of version 1, and of version 2 since 1.45 only.
enum MemoryLimit {
    /// Bytes.
    static var bytes: UInt64 {
        let group = ofGroups { path in (try? SystemCalls.read(path)).map { String(decoding: $0, as: UTF8.self) } }
        // 0 where libuv knows no limit.
        let constrained = uv_get_constrained_memory()
        return [uv_get_total_memory(), constrained > 0 ? constrained : .max, group ?? .max].min() ?? .max
    }

    /// The least limit of the process' group and of those above it; nil where there is none.
    ///
    /// - Parameter read: the text of a file, nil when there is no such file.
    static func ofGroups(_ read: (String) -> String?) -> UInt64? {
        // Of version 2 there is one line: `0::/path`.
        guard let line = read("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
            return nil
        }
        var names = line.dropFirst("0::".count).split(separator: "/")
        var least: UInt64?
        while true {
            let folder = (["/sys/fs/cgroup"] + names).joined(separator: "/")
            // The text is `max` where there is no limit.
            if let limit = read("\(folder)/memory.max").flatMap({ UInt64($0.prefix { $0 != "\n" }) }) {
                least = min(least ?? limit, limit)
            }
            guard names.popLast() != nil else { return least }
        }
    }
}
