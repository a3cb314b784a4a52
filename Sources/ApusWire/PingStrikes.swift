// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A server's patience with PINGs: too many without calls in between, and the connection has to end.
/// Source: gRFC A8, *Server Enforcement*.
package struct PingStrikes: Sendable {
    private let minimum: Duration
    private let permitsWithoutCalls: Bool
    private var last: MonotonicInstant?
    private var work = 0
    private var strikes = 0

    private static let maximum = 2
    private static let withoutCalls = Duration.seconds(2 * 3600)

    /// - Parameters:
    ///   - minimum: the time between two PINGs while calls are open.
    ///   - permitsWithoutCalls: whether that time also holds while none is; else it is two hours.
    package init(minimum: Duration, permitsWithoutCalls: Bool) {
        self.minimum = minimum
        self.permitsWithoutCalls = permitsWithoutCalls
    }

    /// A PING came.
    ///
    /// - Parameter workSent: a count of HEADERS and DATA that were sent; when it has grown, all is forgiven.
    /// - Returns: whether it was one too many.
    package mutating func receivedPing(at now: MonotonicInstant, hasCalls: Bool, workSent: Int) -> Bool {
        defer { last = now }
        guard workSent == work else {
            work = workSent
            strikes = 0
            return false
        }
        let gap = hasCalls || permitsWithoutCalls ? minimum : Self.withoutCalls
        if let last, now < last.advanced(by: gap) { strikes += 1 }
        return strikes > Self.maximum
    }
}
