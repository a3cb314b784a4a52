// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The standard input as the sign that the process that started this one is alive.
public enum Lifeline {
    /// Asks this process to stop, as SIGTERM would, when the standard input ends.
    public static func hold() {
        let thread = Thread {
            while let bytes = try? FileHandle.standardInput.read(upToCount: 4096), !bytes.isEmpty {}
            kill(getpid(), SIGTERM)
        }
        thread.start()
    }
}
