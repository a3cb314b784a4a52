// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How many calls a rate limit lets pass.
public struct Rate: Sendable, Hashable {
    enum Kind: Hashable {
        case bucket(TokenBucket)
        case window(SlidingWindow)
    }

    let kind: Kind

    /// A token bucket: `perSecond` calls on average, and up to `burst` at once.
    ///
    /// - Parameters:
    ///   - perSecond: held between 10⁻⁹ and 10⁹.
    ///   - burst: at least 1; nil for the calls of one second.
    public static func bucket(perSecond: Double, burst: Int? = nil) -> Rate {
        let second = Int(max(1, min(perSecond, 1e9)).rounded(.up))
        return Rate(kind: .bucket(TokenBucket(perSecond: perSecond, burst: burst ?? second)))
    }

    /// A sliding window: at most `calls` in any time of this length, to within the share of the window that calls
    /// before it were not spread evenly.
    public static func window(_ calls: Int, per length: Duration) -> Rate {
        Rate(kind: .window(SlidingWindow(limit: calls, length: length)))
    }

    /// What one limit remembers.
    struct State: Sendable {
        var fullAt = TokenBucket.full
        var window = SlidingWindow.State()
    }

    func take(_ state: inout State, at now: MonotonicInstant) -> TokenBucket.Answer {
        switch kind {
        case .bucket(let bucket): bucket.take(from: &state.fullAt, at: now)
        case .window(let window): window.take(&state.window, at: now)
        }
    }

    /// Whether the state says no more than a new one: then it may be forgotten.
    func isIdle(_ state: State, at now: MonotonicInstant) -> Bool {
        switch kind {
        case .bucket(let bucket): bucket.isFull(state.fullAt, at: now)
        case .window(let window): window.isEmpty(state.window, at: now)
        }
    }
}

/// Counts calls in the present window of time and the one before: what a window that slides over both would hold is
/// the present count and the part of the other that it still covers.
struct SlidingWindow: Sendable, Hashable {
    struct State: Sendable {
        var number = Int64.min
        var present = 0
        var past = 0
    }

    // About a year: no sum of moments and lengths leaves its range.
    private static let longest: Int64 = 1 << 55
    private let limit: Int
    private let length: Int64

    init(limit: Int, length: Duration) {
        self.limit = max(0, limit)
        self.length = min(max(1, length.saturatedNanoseconds), Self.longest)
    }

    func take(_ state: inout State, at now: MonotonicInstant) -> TokenBucket.Answer {
        turn(&state, at: now)
        // Never negative, also when threads look at the clock in another order than they come here.
        let elapsed = max(0, max(0, now.nanoseconds) - state.number * length)
        let covered = Double(length - elapsed) / Double(length)
        guard Double(state.past) * covered + Double(state.present) + 1 <= Double(limit) else {
            return .wait(wait(state, elapsed))
        }
        state.present += 1
        return .taken
    }

    func isEmpty(_ state: State, at now: MonotonicInstant) -> Bool {
        var state = state
        turn(&state, at: now)
        return state.present == 0 && state.past == 0
    }

    private func turn(_ state: inout State, at now: MonotonicInstant) {
        let number = max(0, now.nanoseconds) / length
        guard number > state.number else { return }
        let isNext = state.number != .min && state.number + 1 == number
        state = State(number: number, present: 0, past: isNext ? state.present : 0)
    }

    // Until so little of a past window is covered that there is room for one call.
    private func wait(_ state: State, _ elapsed: Int64) -> Duration {
        if state.present < limit, state.past > 0 {
            let needed = 1 - Double(limit - state.present - 1) / Double(state.past)
            return .nanoseconds(max(1, Int64((min(1, needed) * Double(length)).rounded(.up)) - elapsed))
        }
        let room = state.present > 0 ? max(0, 1 - Double(max(0, limit - 1)) / Double(state.present)) : 0
        return .nanoseconds(max(1, length - elapsed + Int64((room * Double(length)).rounded(.up))))
    }
}

extension Rate: CustomStringConvertible {
    /// One line: `100.0 a second, 100 at once`, or `50 per 60.0 seconds`.
    public var description: String {
        switch kind {
        case .bucket(let bucket): bucket.description
        case .window(let window): window.description
        }
    }
}

extension SlidingWindow: CustomStringConvertible {
    var description: String { "\(limit) per \(Duration.nanoseconds(length))" }
}
