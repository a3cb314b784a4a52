// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file that gets other contents and nothing else: its owner, permissions and times stay.
///
/// A new time would be a sign of life that the instance did not give, and an entry of another owner is one that the
/// instance cannot renew.
enum ReplacedFile {
    /// Puts new contents in place, as a whole or not at all.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Mistake) {
        var old = stat()
        guard stat(path, &old) == 0 else { throw failure(path) }
        // Readers skip hidden files, and the registry clears away those that stay behind.
        let folder = URL(filePath: path).deletingLastPathComponent().path
        let way = "\(folder)/.tmp-drain-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let file = open(way, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        guard write(bytes, to: file), takeAfter(old, file), rename(way, path) == 0 else {
            let reason = failure(path)
            unlink(way)
            throw reason
        }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) } == bytes.count
    }

    private static func takeAfter(_ old: stat, _ file: Int32) -> Bool {
        var own = stat()
        guard fstat(file, &own) == 0 else { return false }
        if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid), fchown(file, old.st_uid, old.st_gid) != 0 {
            return false
        }
        #if canImport(Darwin)
            let times = [old.st_atimespec, old.st_mtimespec]
        #else
            let times = [old.st_atim, old.st_mtim]
        #endif
        return fchmod(file, old.st_mode & 0o7777) == 0 && futimens(file, times) == 0
    }

    private static func failure(_ path: String) -> Mistake {
        Mistake("the entry \(path) cannot be replaced: \(String(cString: strerror(errno)))")
    }
}
