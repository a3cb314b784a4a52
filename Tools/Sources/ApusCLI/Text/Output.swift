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
    func print(_ line: String) { Self.write(Screen.harmlessLines(line) + "\n") }

    func complain(_ line: String) {
        // Nobody is left to be told that this fails.
        _ = Self.write(Screen.harmlessLines(line) + "\n", to: STDERR_FILENO)
    }

    /// Writes to the standard output. A reader that is gone ends the program as it ends others, by SIGPIPE:
    /// `apus list … | head -1`. Another failure, of a full disk, say, ends it with a line and EX_IOERR.
    static func write(_ text: String) {
        let code = write(text, to: STDOUT_FILENO)
        guard code != 0 else { return }
        if code == EPIPE {
            // Ignored since sockets are open.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            // Blocked, it has not come: the status that a shell would tell.
            exit(128 + SIGPIPE)
        }
        _ = write("apus: the output cannot be written: \(String(cString: strerror(code)))\n", to: STDERR_FILENO)
        exit(EX_IOERR)
    }

    // 0, or the system's error.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
