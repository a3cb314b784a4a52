// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization

/// Counts of picks, and whether chance explains them.
struct Picks {
    private(set) var counts: [Int]

    /// What `pick` chose among `handles` in so many draws.
    init(of handles: [EndpointHandle], draws: Int = 60_000, _ pick: () -> EndpointHandle) {
        var counts: [EndpointHandle: Int] = [:]
        for _ in 0..<draws { counts[pick(), default: 0] += 1 }
        self.counts = handles.map { counts[$0] ?? 0 }
    }

    init(_ counts: [Int]) { self.counts = counts }

    var total: Int { counts.reduce(0, +) }

    /// Whether the counts may well be drawn with these probabilities: their chi-square lies below its quantile of
    /// 1 - 1e-6. What has no weight must not be there.
    func follow(_ weights: [Double]) -> Bool {
        let sum = weights.reduce(0, +)
        var (chiSquare, classes) = (0.0, 0)
        for (count, weight) in zip(counts, weights) {
            guard weight > 0 else {
                if count > 0 { return false }
                continue
            }
            let expected = Double(total) * weight / sum
            chiSquare += (Double(count) - expected) * (Double(count) - expected) / expected
            classes += 1
        }
        guard counts.count == weights.count, total > 0 else { return false }
        return classes == 1 || chiSquare < Self.limit(Double(classes - 1))
    }

    /// Whether all may well have the same probability.
    var areUniform: Bool { follow(counts.map { _ in 1 }) }

    // Source: Wilson and Hilferty's approximation; 4.7534 is the normal distribution's quantile.
    private static func limit(_ freedom: Double) -> Double {
        let a = 2 / (9 * freedom)
        let root = 1 - a + 4.7534 * a.squareRoot()
        return freedom * root * root * root
    }
}

extension [EndpointHandle] {
    /// Handles in these states.
    static func inStates(_ states: [ConnectivityState]) -> [EndpointHandle] {
        states.enumerated().map { index, state in
            let handle = EndpointHandle(.local(index))
            handle.connectivity = state
            return handle
        }
    }

    /// Handles of endpoints with these weights.
    static func weighing(_ weights: [Double]) -> [EndpointHandle] {
        weights.enumerated().map { EndpointHandle(Endpoint(host: "10.0.0.1", port: $0, weight: $1)) }
    }

    /// So many handles of endpoints that can be reached.
    static func good(_ count: Int) -> [EndpointHandle] {
        inStates([ConnectivityState](repeating: .ready, count: count))
    }
}

/// Counts how often it is asked.
final class CountingRandom: RandomSource {
    private let source: SplitMixRandom
    private let asked = Atomic<Int>(0)

    init(seed: UInt64) { source = SplitMixRandom(seed: seed) }

    var count: Int { asked.load(ordering: .relaxed) }

    func next() -> UInt64 {
        asked.wrappingAdd(1, ordering: .relaxed)
        return source.next()
    }
}

/// Gives every call the same candidates, also those that only connect.
struct RoutedCandidates: RoutingInterceptor {
    let candidates: Candidates

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.candidates = candidates
        return try await next(call)
    }
}
