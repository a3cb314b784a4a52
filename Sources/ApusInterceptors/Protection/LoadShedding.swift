// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Refuses a growing share of a server's calls while the process is overloaded, so that the others are served.
///
/// The share grows with the load, from none at `threshold` to all at 1. Calls end with RESOURCE_EXHAUSTED as soon as
/// their headers are there, before anything is spent on them.
public struct LoadShedding: AdmittingInterceptor {
    private let watch: LoadWatch
    private let threshold: Double
    private let random: any RandomSource

    /// Sheds load.
    ///
    /// - Parameters:
    ///   - signals: the highest one counts.
    ///   - threshold: the load up to which all calls are served, held in `0...0.99`.
    ///   - interval: how often the signals are read.
    public init(
        _ signals: [any LoadSignal], threshold: Double = 0.9, interval: Duration = .milliseconds(100),
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        watch = LoadWatch(signals, interval, clock)
        self.threshold = threshold
        self.random = random
    }

    /// Refuses the call by chance when the load is high.
    public func admit(_ head: ServerCallHead) throws(RPCError) {
        let (load, signal) = watch.present()
        let share = SheddingRule.share(of: load, threshold: threshold)
        guard share > 0, random.unit() < share else { return }
        throw .overLimit("the server is overloaded: \(watch.name(of: signal))", retryAfter: nil)
    }

    /// Handles the call: it was admitted.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        try await next(call)
    }
}

/// Decides how many calls are refused.
enum SheddingRule {
    /// The share of calls to refuse at a load.
    static func share(of load: Double, threshold: Double) -> Double {
        let threshold = max(0, min(threshold, 0.99))
        return max(0, min((load - threshold) / (1 - threshold), 1))
    }
}

/// The highest of some signals, read once in an interval.
private final class LoadWatch: Sendable {
    private let signals: [any LoadSignal]
    let interval: Duration
    private let clock: any MonotonicClock
    private let readsAt = Atomic<Int64>(.min)
    // Millionths, so that load and signal fit one word.
    private let last = Atomic<Int>(0)
    private static let unit = 1_000_000
    private static let mostSignals = 64

    init(_ signals: [any LoadSignal], _ interval: Duration, _ clock: any MonotonicClock) {
        self.signals = Array(signals.prefix(Self.mostSignals))
        self.interval = interval
        self.clock = clock
    }

    var names: [String] { signals.map(\.name) }

    func name(of signal: Int) -> String { signals.indices.contains(signal) ? signals[signal].name : "" }

    func present() -> (load: Double, signal: Int) {
        let now = clock.now
        let due = readsAt.load(ordering: .relaxed)
        let next = now.advanced(by: max(.milliseconds(1), interval)).nanoseconds
        if now.nanoseconds >= due,
            readsAt.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged
        {
            last.store(read(), ordering: .relaxed)
        }
        let word = last.load(ordering: .relaxed)
        return (Double(word / Self.mostSignals) / Double(Self.unit), word % Self.mostSignals)
    }

    private func read() -> Int {
        var (highest, signal) = (0.0, 0)
        for (index, candidate) in signals.enumerated() {
            let load = candidate.load()
            if load > highest { (highest, signal) = (load, index) }
        }
        return Int(min(highest, 1000) * Double(Self.unit)) * Self.mostSignals + signal
    }
}

extension LoadShedding: DescribedPolicy {
    /// From which load on it refuses calls, and what the load is now.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("threshold", threshold), PolicyValue("signals", watch.names.joined(separator: ", ")),
            PolicyValue("interval", watch.interval), PolicyValue("load", watch.present().load),
        ]
    }
}
