// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The servers and channels of this process that are not closed, by numbers that are never given twice.
///
/// Strong references, given up when their owner closes: counts of an object that is referred to weakly are slower, and
/// calls count those of servers and transports.
package final class Inventory: Sendable {
    /// The process' own.
    package static let process = Inventory()

    private struct State {
        var servers: [Int64: ActiveServer] = [:]
        var channels: [Int64: ChannelInspection] = [:]
    }

    private let state = Mutex(State())
    private let lastID = Atomic<Int64>(0)

    /// A number that nothing else has.
    func nextID() -> Int64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

    func add(_ server: ActiveServer) { state.withLock { $0.servers[server.inventoryID] = server } }

    func add(_ channel: ChannelInspection) { state.withLock { $0.channels[channel.id] = channel } }

    func removeServer(_ id: Int64) { _ = state.withLock { $0.servers.removeValue(forKey: id) } }

    func removeChannel(_ id: Int64) { _ = state.withLock { $0.channels.removeValue(forKey: id) } }

    /// The servers that are not stopped, by number.
    package var servers: [Int64: ServerInspection] {
        state.withLock { $0.servers }.mapValues { ServerInspection($0) }
    }

    /// The channels over sockets that are not closed, by number.
    package var channels: [Int64: ChannelInspection] { state.withLock { $0.channels } }
}
