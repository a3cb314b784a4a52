// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The breakers of a policy that an observer was told of: it hears of their end, too, so that nobody counts them for
/// ever. Breakers that never opened are not here.
final class ToldBreakers: Sendable {
    typealias Tell = @Sendable (_ last: BreakerState) -> Void

    private struct Entry {
        let breaker: Breaker
        let channel: ObjectIdentifier?
        let tell: Tell
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        // Those whose end is waited for.
        var channels: Set<ObjectIdentifier> = []
        var hasEnded = false
    }

    private let state = Mutex(State())

    deinit { end() }

    /// A breaker was told of for the first time, because of a call of this channel.
    func add(_ breaker: Breaker, of next: ClientNext, _ tell: @escaping Tell) {
        let channel = next.channelID
        let (isNew, isLate) = state.withLock { state in
            state.entries[ObjectIdentifier(breaker)] = Entry(breaker: breaker, channel: channel, tell: tell)
            return (channel.map { state.channels.insert($0).inserted } ?? false, state.hasEnded)
        }
        if isLate { return left(breaker) }
        if isNew, let channel { next.onClose { [weak self] in self?.closed(channel) } }
    }

    /// A breaker's endpoint is no more.
    func left(_ breaker: Breaker) {
        let entry = state.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(breaker)) }
        guard let last = breaker.leave(forGood: true) else { return }
        entry?.tell(last)
    }

    // Other channels may go on with the breaker: they tell of it anew.
    private func closed(_ channel: ObjectIdentifier) {
        let entries = state.withLock { state in
            state.channels.remove(channel)
            let entries = state.entries.filter { $0.value.channel == channel }
            for id in entries.keys { state.entries[id] = nil }
            return entries.values
        }
        for entry in entries {
            if let last = entry.breaker.leave(forGood: false) { entry.tell(last) }
        }
    }

    /// The policy has ended: none of its breakers tells anything any more.
    func end() {
        let entries = state.withLock { state in
            state.hasEnded = true
            defer { state.entries = [:] }
            return state.entries.values
        }
        for entry in entries {
            if let last = entry.breaker.leave(forGood: true) { entry.tell(last) }
        }
    }
}
