// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder that goes with its owner.
package final class Scratch {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "apus-tools-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        return "\(path)/\(name)"
    }
}
