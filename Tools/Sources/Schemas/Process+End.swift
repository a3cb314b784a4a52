// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Process {
    /// Waits until it has ended. Blocks the thread.
    ///
    /// Foundation hears of an end through a socket, which a sibling that was started at the same moment may have
    /// inherited: then it hears of it only when the sibling ends, too. So the system is asked.
    ///
    /// - Returns: its status, or 128 and the number of the signal that ended it, as shells tell it.
    func waitForEnd() -> Int32 {
        var info = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOWAIT) != 0 {
            guard errno != EINTR else { continue }
            // Foundation has reaped it, and knows how it ended.
            waitUntilExit()
            return terminationReason == .uncaughtSignal ? 128 + terminationStatus : terminationStatus
        }
        #if canImport(Darwin)
            let status = info.si_status
        #else
            let status = info._sifields._sigchld.si_status
        #endif
        return info.si_code == CLD_EXITED ? status : 128 + status
    }
}
