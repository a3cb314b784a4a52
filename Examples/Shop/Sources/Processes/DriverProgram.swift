// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The program that runs a drill, as its processes and its reader see it.
public enum DriverProgram {
    /// The path of a program that stands beside this one; nil where the system does not tell where this one is.
    public static func sibling(_ name: String) -> String? {
        Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent().appending(path: name).path()
    }

    /// Writes a line at once, also into a pipe.
    public static func say(_ line: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }
}
