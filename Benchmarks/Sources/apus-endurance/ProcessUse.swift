// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a process holds, as Linux tells it.
struct ProcessUse {
    let residentMiB: Double
    let descriptors: Int
    let threads: Int

    static var current: ProcessUse { ProcessUse(of: getpid()) }

    init(of process: Int32) {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        func number(_ key: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(key):") }
            return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
        }
        residentMiB = Double(number("VmRSS")) / 1024
        threads = number("Threads")
        descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? 0
    }

    static func head(_ who: String) -> String {
        "\(who): RSS MiB  descriptors  threads".padding(toLength: 44, withPad: " ", startingAt: 0)
    }

    var line: String {
        String(format: "%15.1f %12d %8d", residentMiB, descriptors, threads)
            .padding(toLength: 44, withPad: " ", startingAt: 0)
    }
}
