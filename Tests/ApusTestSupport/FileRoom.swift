// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How long this process' files may become: with no room, writes fail as on a full disk. In a process of its own.
package enum FileRoom {
    package struct Failure: Error {}

    /// - Parameter size: bytes; nil for as many as the disk has.
    package static func limit(to size: Int?) throws {
        // Else the first write above the limit ends the process.
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit()
        let kind = fileSizeLimit
        guard getrlimit(kind, &limit) == 0 else { throw Failure() }
        limit.rlim_cur = size.map { rlim_t($0) } ?? limit.rlim_max
        guard setrlimit(kind, &limit) == 0 else { throw Failure() }
    }

    #if canImport(Glibc)
        private static var fileSizeLimit: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_FSIZE.rawValue) }
    #else
        private static var fileSizeLimit: Int32 { RLIMIT_FSIZE }
    #endif
}
