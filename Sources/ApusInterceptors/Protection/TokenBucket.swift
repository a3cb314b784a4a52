// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// A token bucket whose whole state is one moment: the one at which it will be full again.
///
/// It holds `burst` tokens and gets one every `interval`. Source: the generic cell rate algorithm, ITU-T I.371.
struct TokenBucket: Sendable, Hashable {
    enum Answer: Equatable {
        case taken
        /// Too few tokens: there will be enough after this time.
        case wait(Duration)
    }

    /// A bucket that is full.
    static let full = Int64.min

    private let interval: Int64
    private let span: Int64

    /// - Parameters:
    ///   - perSecond: tokens that come in each second, held between one in about 30 years and 10⁹.
    ///   - burst: tokens that it holds, at least 1.
    init(perSecond: Double, burst: Int) {
        interval = Int64(1e9 / max(1e-9, min(perSecond, 1e9)))
        let (span, overflow) = interval.multipliedReportingOverflow(by: Int64(max(1, burst)))
        self.span = overflow ? .max / 2 : min(span, .max / 2)
    }

    /// Takes a token from the bucket that is full at `fullAt`.
    func take(from fullAt: inout Int64, at now: MonotonicInstant) -> Answer {
        let start = max(fullAt, now.nanoseconds)
        let (next, overflow) = start.addingReportingOverflow(interval)
        let missing = overflow ? Int64.max : now.duration(to: MonotonicInstant(nanoseconds: next)).saturatedNanoseconds
        guard missing <= span else { return .wait(.nanoseconds(missing - span)) }
        fullAt = next
        return .taken
    }

    /// Whether the bucket is full: then it may be forgotten.
    func isFull(_ fullAt: Int64, at now: MonotonicInstant) -> Bool { fullAt <= now.nanoseconds }
}

/// A token bucket that any thread may take from, without a lock.
final class SharedTokenBucket: Sendable {
    private let bucket: TokenBucket
    private let fullAt = Atomic<Int64>(TokenBucket.full)

    init(_ bucket: TokenBucket) { self.bucket = bucket }

    /// What taking would say now.
    func look(at now: MonotonicInstant) -> TokenBucket.Answer {
        var present = fullAt.load(ordering: .relaxed)
        return bucket.take(from: &present, at: now)
    }

    func take(at now: MonotonicInstant) -> TokenBucket.Answer {
        var old = fullAt.load(ordering: .relaxed)
        while true {
            var new = old
            let answer = bucket.take(from: &new, at: now)
            guard new != old else { return answer }
            let (exchanged, original) = fullAt.compareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return answer }
            old = original
        }
    }
}

extension TokenBucket: CustomStringConvertible {
    var description: String { "\(1e9 / Double(interval)) a second, \(span / interval) at once" }
}
