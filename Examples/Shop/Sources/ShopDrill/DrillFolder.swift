// SPDX-License-Identifier: Apache-2.0

import Foundation
import Processes

/// Where a drill keeps its registry, databases and logs.
final class DrillFolder: Sendable {
    let path: String

    /// A new folder among the system's temporary ones.
    ///
    /// - Throws: when it cannot be made.
    init() throws {
        let name = "apus-shop-\(UUID().uuidString.prefix(8).lowercased())"
        let url = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path()
    }

    var registry: String { "\(path)/registry" }

    func database(of service: String) -> String { "\(path)/\(service).sqlite" }

    func log(of instance: Instance) -> String { "\(path)/\(instance.name).log" }

    /// What an instance said last.
    func lastLine(of instance: Instance) -> String { Processes.lastLine(ofLog: log(of: instance)) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
