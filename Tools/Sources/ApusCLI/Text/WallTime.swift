// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The time of day, as lines of a watch begin.
enum WallTime {
    /// `14:03:59.127`, local.
    static var now: String { text(Date()) }

    static func text(_ date: Date, in zone: TimeZone = .current) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = zone
        formatter.dateFormat = "HH:mm:ss.SSS"
        return formatter.string(from: date)
    }
}
