// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A program that turns all of its input into output.
enum StandardStreams {
    /// The exit status: 0, or 1 after one line on standard error.
    static func run(_ body: ([UInt8]) throws -> [UInt8]) -> Int32 {
        do {
            guard write(try body(try read()), to: 1) else { return 1 }
            return 0
        } catch {
            _ = write(Array("protoc-gen-apus: \(error)\n".utf8), to: 2)
            return 1
        }
    }

    static func exit(with status: Int32) -> Never {
        #if canImport(Darwin)
            Darwin.exit(status)
        #elseif canImport(Glibc)
            Glibc.exit(status)
        #elseif canImport(Musl)
            Musl.exit(status)
        #endif
    }

    private struct ReadFailed: Error, CustomStringConvertible {
        let description = "standard input cannot be read: protoc runs this program, see protoc --apus_out"
    }

    private static func read() throws -> [UInt8] {
        var input: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fill(&chunk)
            if count == 0 { return input }
            if count > 0 {
                input += chunk.prefix(count)
            } else if errno != EINTR {
                throw ReadFailed()
            }
        }
    }

    private static func fill(_ chunk: inout [UInt8]) -> Int {
        chunk.withUnsafeMutableBytes { readBytes($0) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = writeBytes(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
            }
            return true
        }
    }
}

// The system's calls, under names that the type's own do not hide.
private func readBytes(_ buffer: UnsafeMutableRawBufferPointer) -> Int { read(0, buffer.baseAddress, buffer.count) }

private func writeBytes(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
    write(descriptor, buffer.baseAddress, buffer.count)
}
