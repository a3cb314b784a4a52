// SPDX-License-Identifier: Apache-2.0

import ApusCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A system call on a file that failed.
struct FileError: Error, CustomStringConvertible {
    let operation: String
    let path: String
    /// The number in `errno`.
    let code: Int32

    /// The call that has just failed on this thread.
    init(_ operation: String, _ path: String, code: Int32 = errno) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// The number of "no such file or directory".
    static let missing = ENOENT

    var isMissing: Bool { code == ENOENT || code == ENOTDIR }

    /// Whether the same went wrong for the same reason, if with another file.
    func isLike(_ other: Self) -> Bool { operation == other.operation && code == other.code }

    var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }
}

/// What tells one version of a file from another without reading it.
struct FileStamp: Equatable {
    let inode: UInt64
    let size: Int64
    /// Nanoseconds since 1970 of the last modification.
    let modified: Int64
    /// Nanoseconds since 1970 of the last change of anything, permissions included.
    let changed: Int64
    let isRegular: Bool
}

/// The system calls of a directory registry, each with its error as a value. All of them may block.
enum Files {
    /// Makes the folder and those above it, as far as they are missing.
    static func makeFolder(_ path: String) throws(FileError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw FileError("make the folder", path)
        }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileError("make the folder", path) }
    }

    static func isFolder(_ path: String) -> Bool { access(path + "/.", F_OK) == 0 }

    /// The names in a folder, `.` and `..` left out, in alphabetical order.
    static func names(in path: String) throws(FileError) -> [String] {
        guard let folder = opendir(path) else { throw FileError("read the folder", path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            // d_name ends with a NUL and lives until the next readdir.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// - Parameter following: whether a symbolic link stands for its target.
    static func stamp(of path: String, following: Bool = false) throws(FileError) -> FileStamp {
        var status = stat()
        guard (following ? stat(path, &status) : lstat(path, &status)) == 0 else { throw FileError("look at", path) }
        return FileStamp(status)
    }

    /// The bytes of a regular file, one more than `limit` at most.
    ///
    /// - Parameter following: whether a symbolic link stands for its target; else it is refused.
    static func read(_ path: String, limit: Int, following: Bool = false) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (following ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { readSome(descriptor, $0, from: count) }
            if got == 0 { break }
            guard got > 0 else { throw FileError("read", path) }
            count += got
        }
        return Array(bytes.prefix(count))
    }

    /// Puts a file in place as a whole or not at all, with a modification time in nanoseconds since 1970.
    ///
    /// The bytes are on the disk before the name is there; the name itself may be lost with the machine's power, as
    /// may be its process.
    static func write(
        _ bytes: [UInt8], to path: String, by way: String, modified: Int64
    ) throws(FileError) {
        let descriptor = open(way, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw FileError("make the file", way) }
        do throws(FileError) {
            defer { close(descriptor) }
            try fill(descriptor, with: bytes, way)
            var times = [timespec(nanoseconds: modified), timespec(nanoseconds: modified)]
            guard futimens(descriptor, &times) == 0 else { throw FileError("set the time of", way) }
            guard fsync(descriptor) == 0 else { throw FileError("write", way) }
        } catch {
            unlink(way)
            throw error
        }
        guard rename(way, path) == 0 else {
            let error = FileError("rename to", path)
            unlink(way)
            throw error
        }
    }

    /// Sets the modification time, in nanoseconds since 1970, and nothing else.
    static func touch(_ path: String, modified: Int64) throws(FileError) {
        var times = [timespec(nanoseconds: modified), timespec(nanoseconds: modified)]
        guard utimensat(AT_FDCWD, path, &times, AT_SYMLINK_NOFOLLOW) == 0 else { throw FileError("touch", path) }
    }

    /// Removes a file; one that is not there is fine.
    static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
    }

    private static func fill(_ descriptor: Int32, with bytes: [UInt8], _ path: String) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Self.write(descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError("write", path) }
            written += count
        }
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    private static func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, from start: Int) -> Int {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
        while true {
            #if canImport(Darwin)
                let count = Darwin.read(descriptor, room.baseAddress, room.count)
            #elseif canImport(Musl)
                let count = Musl.read(descriptor, room.baseAddress, room.count)
            #else
                let count = Glibc.read(descriptor, room.baseAddress, room.count)
            #endif
            if count >= 0 || errno != EINTR { return count }
        }
    }
}

extension FileStamp {
    fileprivate init(_ status: stat) {
        #if canImport(Darwin)
            let (modification, change) = (status.st_mtimespec, status.st_ctimespec)
        #else
            let (modification, change) = (status.st_mtim, status.st_ctim)
        #endif
        inode = UInt64(truncatingIfNeeded: status.st_ino)
        size = Int64(status.st_size)
        modified = modification.nanoseconds
        changed = change.nanoseconds
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }
}

extension timespec {
    fileprivate init(nanoseconds: Int64) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(
            tv_sec: .init(rest < 0 ? seconds - 1 : seconds), tv_nsec: .init(rest < 0 ? rest + 1_000_000_000 : rest))
    }

    /// Held at the ends of the range: anybody may give a file any time.
    fileprivate var nanoseconds: Int64 {
        let (scaled, overflow) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = scaled.addingReportingOverflow(Int64(tv_nsec))
        return overflow || carry ? (tv_sec < 0 ? .min : .max) : sum
    }
}

extension LeaseClock {
    /// The machine's clocks.
    package static var system: LeaseClock {
        LeaseClock(monotonic: SystemClock()) {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return time.nanoseconds
        }
    }
}
