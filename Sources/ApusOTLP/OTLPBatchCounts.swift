// SPDX-License-Identifier: Apache-2.0

/// What became of an exporter's spans or log records so far.
public struct OTLPBatchCounts: Sendable, Hashable {
    /// Those in requests that the receiver has taken.
    public let exported: Int
    /// Those of them that it has rejected nevertheless, as it says.
    public let rejected: Int
    /// Those that were given up: there was no room, or the receiver refused them, or was away too long.
    public let dropped: Int
    /// Requests that failed; the same spans or records may have been taken later.
    public let failures: Int
    /// Those that wait for their export.
    public let waiting: Int
}
