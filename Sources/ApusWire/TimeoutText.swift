// SPDX-License-Identifier: Apache-2.0

/// The `grpc-timeout` of one call after the other on a connection.
///
/// Most calls of a client have the same timeout: rounded up, its text is that of the call before, and the peer has it in
/// its table.
package struct TimeoutText {
    /// What was sent last.
    package private(set) var bytes: [UInt8] = []
    // For which nanoseconds it stands.
    private var range: ClosedRange<Int64> = 0...0

    package init() {}

    /// Makes `bytes` the text of a time that is left.
    ///
    /// - Returns: whether it is that of the call before.
    package mutating func become(nanoseconds: Int64) -> Bool {
        if range.contains(nanoseconds), !bytes.isEmpty { return true }
        let rounded = TimeoutEncoding.rounded(nanoseconds: nanoseconds)
        bytes = TimeoutEncoding.encode(nanoseconds: rounded)
        range = min(nanoseconds, rounded - rounded / 100)...rounded
        return false
    }
}
