// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What to do with a setting of OpenTelemetry's that is ignored.
public enum OTLPWarning {
    /// Writes a line to standard error: a process that has nothing else yet.
    public static func write(_ line: String) {
        // Whether it arrives is nobody's business.
        Array("warning: \(line)\n".utf8).withUnsafeBytes { bytes in
            #if canImport(Glibc)
                _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
            #elseif canImport(Musl)
                _ = Musl.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
            #else
                _ = Darwin.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
            #endif
        }
    }
}
