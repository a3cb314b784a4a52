// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The system calls that libuv does not offer.
enum SystemCalls {
    /// A copy that programs started from here do not inherit; negative when there are no more.
    static func duplicate(_ descriptor: Int32) -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

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
}
