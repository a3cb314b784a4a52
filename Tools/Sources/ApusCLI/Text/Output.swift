// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where a command's lines go.
protocol Output: Sendable {
    /// A line of the answer.
    func print(_ line: String)
    /// A line for people, beside the answer.
    func complain(_ line: String)
}

/// The process' own standard output and error, unbuffered: who reads a pipe sees each line when it comes.
struct StandardOutput: Output {
    func print(_ line: String) { Self.write(line, to: .standardOutput) }
    func complain(_ line: String) { Self.write(line, to: .standardError) }

    // A reader that is gone is no error of ours: 'apus … | head -1'.
    private static func write(_ line: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data((line + "\n").utf8))
    }
}
