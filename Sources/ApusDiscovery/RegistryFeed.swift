// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// What a registry knows of a service: its instances, or why it cannot tell.
package typealias RegistryUpdate = Result<[Endpoint], RPCError>

/// Brings updates to one watch: one after the other, the newest last, whichever threads publish them.
package final class RegistryFeed: Sendable {
    private struct State {
        var pending: RegistryUpdate?
        var version: UInt64 = 0
        var isDelivering = false
        var isCancelled = false
    }

    private let onUpdate: @Sendable (RegistryUpdate) -> Void
    private let state = Mutex(State())

    package init(_ onUpdate: @escaping @Sendable (RegistryUpdate) -> Void) { self.onUpdate = onUpdate }

    package func cancel() { state.withLock { $0.isCancelled = true } }

    /// Delivers the update, unless a newer version was published already. An update that waits is replaced.
    package func publish(_ update: RegistryUpdate, version: UInt64) {
        let isMine = state.withLock { state in
            guard version > state.version else { return false }
            state.version = version
            state.pending = update
            defer { state.isDelivering = true }
            return !state.isDelivering
        }
        guard isMine else { return }
        while let next = takePending() { onUpdate(next) }
    }

    private func takePending() -> RegistryUpdate? {
        state.withLock { state in
            guard !state.isCancelled, let next = state.pending.take() else {
                state.isDelivering = false
                return nil
            }
            return next
        }
    }
}
