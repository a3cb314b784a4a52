// SPDX-License-Identifier: Apache-2.0

import ApusCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The system calls that libuv does not offer.
enum SystemCalls {
    /// Blocks SIGPIPE on the calling thread: a write to a closed socket is an error, not the end of the process.
    static func blockSIGPIPE() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    static func limitUnacknowledged(_ descriptor: Int32, milliseconds: Int64) {
        #if os(Linux)
            var value = CUnsignedInt(clamping: milliseconds)
            let size = socklen_t(MemoryLayout<CUnsignedInt>.size)
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, size)
        #endif
    }

    static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    // No certificate file is larger; a device or a pipe by mistake ends here.
    private static let largestFile = 4 << 20

    /// A whole file, 4 MiB at most.
    ///
    /// - Throws: INVALID_ARGUMENT with the system's reason.
    static func read(_ path: String) throws(RPCError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = readPiece(descriptor, &piece)
            guard count >= 0 else { throw failure(path) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: piece.prefix(count))
            guard bytes.count <= largestFile else {
                throw RPCError(.invalidArgument, "cannot read \(path): it is larger than 4 MiB")
            }
        }
    }

    /// Opens a file of secrets to append to: only its owner may read it. Negative when that fails.
    static func openSecretLog(_ path: String) -> Int32 { open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600) }

    /// Writes bytes in one call.
    ///
    /// - Returns: how many were written, and the system's reason when none were.
    static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> (written: Int, reason: String) {
        while true {
            let count = write(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return (count, "not all was taken") }
            if errno != EINTR { return (0, reason(errno)) }
        }
    }

    private static func readPiece(_ descriptor: Int32, _ piece: inout [UInt8]) -> Int {
        let size = piece.count
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(descriptor, &piece, size)
            #elseif canImport(Musl)
                let count = Musl.read(descriptor, &piece, size)
            #else
                let count = Darwin.read(descriptor, &piece, size)
            #endif
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func failure(_ path: String) -> RPCError {
        RPCError(.invalidArgument, "cannot read \(path): \(reason(errno))")
    }

    private static func reason(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }
}
