// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// A value that takes time to make: of several that are made at the same time, the one that was begun last stays,
/// whichever is ready last.
final class LatestValue<Value: Sendable>: Sendable {
    private let present: Mutex<(turn: UInt64, value: Value)>
    private let lastTurn = Atomic<UInt64>(0)

    init(_ value: Value) { present = Mutex((0, value)) }

    var value: Value { present.withLock { $0.value } }

    /// Takes what `make` returns, unless a later one is there already.
    ///
    /// - Throws: what `make` throws; the value then stays, and one that was begun before may still come.
    func replace(_ make: () async throws(RPCError) -> Value) async throws(RPCError) {
        let turn = lastTurn.wrappingAdd(1, ordering: .relaxed).newValue
        let new = try await make()
        present.withLock { present in
            if turn > present.turn { present = (turn, new) }
        }
    }
}
