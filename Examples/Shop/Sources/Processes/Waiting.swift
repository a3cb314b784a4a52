// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Why a drill could not go on. One line.
public struct DrillError: Error, CustomStringConvertible {
    /// The line.
    public let description: String

    /// A reason.
    public init(_ description: String) { self.description = description }
}

/// Waits until something is so.
///
/// - Parameters:
///   - patience: how long at most; a minute is what a slow machine may need, and only something that is wrong does.
///   - condition: is asked every 10 ms.
/// - Throws: ``DrillError`` when it never is; what the condition throws.
public func wait(
    for what: String, patience: Duration = .seconds(60), _ condition: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + patience
    while try !condition() {
        if .now > deadline { throw DrillError("waited \(patience) for \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// What a process wrote last into its log.
public func lastLine(ofLog path: String) -> String {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "its log is empty"
}
