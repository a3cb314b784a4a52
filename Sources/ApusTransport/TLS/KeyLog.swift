// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A file of secrets, made only when somebody asked for it. Safe from any thread: each line is one appending write.
final class KeyLog: Sendable {
    private let descriptor: Int32

    /// - Throws: INVALID_ARGUMENT when the file cannot be opened.
    init(_ path: String) throws(RPCError) {
        descriptor = SystemCalls.openSecretLog(path)
        guard descriptor >= 0 else { throw RPCError(.invalidArgument, "cannot append to the key log \(path)") }
    }

    deinit { SystemCalls.close(descriptor) }

    func append(_ line: UnsafePointer<CChar>) {
        let bytes = Array(String(cString: line).utf8) + [UInt8(ascii: "\n")]
        bytes.withUnsafeBytes { SystemCalls.append($0, to: descriptor) }
    }
}
