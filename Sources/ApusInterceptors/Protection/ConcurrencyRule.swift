// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How many calls a concurrency limit lets run at once.
public struct ConcurrencyRule: Sendable {
    enum Kind: Sendable {
        case fixed(Int)
        case gradient(GradientLimit)
        case throughput(ThroughputLimit)
    }

    var kind: Kind

    /// Always the same number, at least 1.
    public static func fixed(_ limit: Int) -> ConcurrencyRule { ConcurrencyRule(kind: .fixed(max(1, limit))) }

    /// Follows the gradient of latency: while calls take as long as without queueing the limit grows by its square root;
    /// when they take longer, they queue somewhere, and it shrinks. Source: Netflix, *Performance Under Load*.
    ///
    /// - Parameters:
    ///   - initial: the first limit.
    ///   - range: what the limit is held in.
    ///   - tolerance: how much longer calls may take before the limit shrinks, at least 1.
    public static func gradient(
        initial: Int = 20, in range: ClosedRange<Int> = 10...1000, tolerance: Double = 1.5
    ) -> ConcurrencyRule {
        ConcurrencyRule(kind: .gradient(GradientLimit(initial: initial, range: range, tolerance: tolerance)))
    }

    /// Follows Little's law: the largest throughput that was seen, times the shortest latency, and a part more to find
    /// out whether there is more. Source: brpc's *auto concurrency limiter*.
    ///
    /// - Parameters:
    ///   - initial: the limit until the first window is over.
    ///   - range: what the limit is held in.
    ///   - window: the time over which throughput is measured.
    public static func throughput(
        initial: Int = 40, in range: ClosedRange<Int> = 4...10_000, window: Duration = .milliseconds(500)
    ) -> ConcurrencyRule {
        ConcurrencyRule(kind: .throughput(ThroughputLimit(initial: initial, range: range, window: window)))
    }

    var limit: Int {
        switch kind {
        case .fixed(let limit): limit
        case .gradient(let rule): rule.limit
        case .throughput(let rule): rule.limit
        }
    }

    var isFixed: Bool {
        if case .fixed = kind { true } else { false }
    }

    /// A call ended that ran among `running` ones, itself included.
    mutating func ended(after latency: Duration, running: Int, succeeded: Bool, at now: MonotonicInstant) {
        switch kind {
        case .fixed: return
        case .gradient(var rule):
            if succeeded { rule.ended(after: latency, running: running) }
            kind = .gradient(rule)
        case .throughput(var rule):
            rule.ended(after: latency, succeeded: succeeded, at: now)
            kind = .throughput(rule)
        }
    }
}

/// A limit that shrinks when latency grows.
///
/// What calls take without queueing is measured now and then, with half as many at once: an average over the long run
/// would take a lasting overload for normal, and grow with it.
struct GradientLimit: Sendable {
    private static let smoothing = 0.2
    private static let callsBetweenChecks = 500

    private let range: ClosedRange<Double>
    private let tolerance: Double
    private var estimate: Double
    private var recent: Double?
    private var shortest: Double?
    // Ends of calls that began before the last check: they say nothing about it.
    private var stale = 0
    private var sinceCheck = 0

    init(initial: Int, range: ClosedRange<Int>, tolerance: Double) {
        self.range = Double(max(1, range.lowerBound))...Double(max(1, range.upperBound))
        self.tolerance = max(1, tolerance)
        estimate = min(max(Double(initial), self.range.lowerBound), self.range.upperBound)
    }

    var limit: Int { Int(estimate) }

    mutating func ended(after latency: Duration, running: Int) {
        guard stale == 0 else {
            stale -= 1
            return
        }
        let sample = max(1, Double(latency.saturatedNanoseconds))
        let recent = recent.map { $0 + (sample - $0) * 0.1 } ?? sample
        self.recent = recent
        let shortest = min(self.shortest ?? recent, recent)
        self.shortest = shortest
        sinceCheck += 1
        if sinceCheck >= max(Self.callsBetweenChecks, 10 * limit) { return check() }
        // Too few calls to say anything about the limit.
        guard Double(running) >= estimate / 2 else { return }
        let gradient = max(0.5, min(1, tolerance * shortest / recent))
        let next = estimate * gradient + estimate.squareRoot()
        set(estimate * (1 - Self.smoothing) + next * Self.smoothing)
    }

    private mutating func check() {
        sinceCheck = 0
        stale = limit
        (recent, shortest) = (nil, nil)
        set(estimate / 2)
    }

    private mutating func set(_ value: Double) { estimate = min(max(value, range.lowerBound), range.upperBound) }
}

/// A limit by Little's law.
struct ThroughputLimit: Sendable {
    private static let minimumCalls = 20
    // How much more than what is known to pass is let in, to find out.
    private static let exploration = 0.3
    // So often the shortest latency is measured anew, with fewer calls at once.
    private static let windowsBetweenChecks = 20

    private let range: ClosedRange<Int>
    private let length: Duration
    private(set) var limit: Int
    private var began: MonotonicInstant?
    private var succeeded = 0
    private var failed = 0
    private var latencies = 0.0
    private var shortest: Double?
    private var largestRate = 0.0
    private var windows = 0

    init(initial: Int, range: ClosedRange<Int>, window: Duration) {
        self.range = max(1, range.lowerBound)...max(1, range.upperBound)
        length = max(.milliseconds(1), window)
        limit = min(max(initial, self.range.lowerBound), self.range.upperBound)
    }

    mutating func ended(after latency: Duration, succeeded success: Bool, at now: MonotonicInstant) {
        let began = self.began ?? now
        self.began = began
        if success { succeeded += 1 } else { failed += 1 }
        latencies += Double(max(1, latency.saturatedNanoseconds))
        let elapsed = began.duration(to: now)
        guard elapsed >= length, succeeded + failed >= Self.minimumCalls else { return }
        if succeeded > 0 { learn(Double(elapsed.saturatedNanoseconds)) } else { shrink() }
        (self.began, succeeded, failed, latencies) = (now, 0, 0, 0)
    }

    private mutating func learn(_ elapsed: Double) {
        windows += 1
        let average = latencies / Double(succeeded + failed)
        let rate = Double(succeeded) / elapsed
        // Up at once, down slowly: a quiet window says little.
        largestRate = rate >= largestRate ? rate : largestRate * 0.9 + rate * 0.1
        let isCheck = windows.isMultiple(of: Self.windowsBetweenChecks)
        if isCheck { shortest = nil }
        shortest = shortest.map { average < $0 ? average : $0 } ?? average
        let known = largestRate * (shortest ?? average)
        let willCheck = (windows + 1).isMultiple(of: Self.windowsBetweenChecks)
        set(known * (willCheck ? 0.5 : 1 + Self.exploration))
    }

    private mutating func shrink() { set(Double(limit) / 2) }

    private mutating func set(_ value: Double) {
        limit = Int(min(max(value.rounded(.up), Double(range.lowerBound)), Double(range.upperBound)))
    }
}

extension ConcurrencyRule: CustomStringConvertible {
    /// The kind of the rule, and its range.
    public var description: String {
        switch kind {
        case .fixed(let limit): "fixed, \(limit)"
        case .gradient(let rule): rule.description
        case .throughput(let rule): rule.description
        }
    }
}

extension GradientLimit: CustomStringConvertible {
    var description: String { "gradient, \(Int(range.lowerBound)) to \(Int(range.upperBound)), tolerance \(tolerance)" }
}

extension ThroughputLimit: CustomStringConvertible {
    var description: String { "throughput, \(range.lowerBound) to \(range.upperBound), each \(length)" }
}
