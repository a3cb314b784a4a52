// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What this process holds, counted by kind, so that code running beside the test does not matter.
package enum LeakCheck {
    /// Threads with this name.
    package static func threads(named name: String) -> Int {
        entries(of: "/proc/self/task").count { task in
            let text = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
            return text == name + "\n"
        }
    }

    /// Descriptors that are open on something like `inotify`.
    package static func descriptors(on kind: String) -> Int {
        entries(of: "/proc/self/fd").count { descriptor in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
            return target?.contains(kind) == true
        }
    }

    private static func entries(of folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}
