// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What both programs have in common: lines of output, and an exit status.
package enum InteropProgram {
    /// Runs a program to its end: status 0, or 1 after one line on standard error.
    package static func run(_ name: String, _ body: () async throws -> Void) async -> Never {
        do {
            try await body()
        } catch {
            print(oneLine("\(name): \(error)"), to: 2)
            exit(1)
        }
        exit(0)
    }

    // A server's status message may hold anything.
    static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    /// Prints a line at once, also into a pipe or file.
    package static func print(_ line: String, to descriptor: Int32 = 1) {
        let bytes = Array("\(line)\n".utf8)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            // Nobody reads: there is no other place to say so.
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
