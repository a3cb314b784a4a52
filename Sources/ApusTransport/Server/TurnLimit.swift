// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How many bytes a connection may bring in one turn of its loop: fewer, the more calls it packs into them, so that a
/// client that pipelines without end delays the calls of others by the time of some dozen calls at most.
struct TurnLimit {
    private(set) var bytes = Self.most

    private static let most = 256 * 1024
    private static let least = 2 * 1024
    private static let manyCalls = 48
    private static let fewCalls = 16

    /// A turn began so many calls.
    @inline(__always)
    mutating func ended(calls: Int, _ io: any ConnectionIO) {
        if calls > Self.manyCalls { limit(to: bytes / max(2, calls / Self.manyCalls), io) }
        if calls < Self.fewCalls, bytes < Self.most { limit(to: bytes * 2, io) }
    }

    private mutating func limit(to bytes: Int, _ io: any ConnectionIO) {
        let limit = min(max(bytes, Self.least), Self.most)
        guard limit != self.bytes else { return }
        self.bytes = limit
        io.limitTurn(to: limit)
    }
}
