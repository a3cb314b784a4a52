// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Draws some endpoints and takes the one that costs least: with two draws the longest queue is far shorter than with
/// one, and no call looks at all endpoints.
/// Source: Mitzenmacher, *The Power of Two Choices in Randomized Load Balancing*.
struct PowerOfChoices: Sendable {
    // More would cost more than it brings.
    private static let mostChoices = 32
    // Draws for one choice, while they meet endpoints that are bad or not warm yet.
    private static let mostDraws = 16

    let choices: Int
    let warmUp: WarmUp?
    private let random: any RandomSource

    /// - Parameter choices: endpoints that are compared; held in `2...32`.
    init(choices: Int = 2, warmUp: WarmUp? = nil, random: any RandomSource) {
        self.choices = max(2, min(choices, Self.mostChoices))
        self.warmUp = warmUp
        self.random = random
    }

    /// The cheapest of the handles that are drawn, the one drawn first when they cost the same. There must be one.
    func pick(
        from handles: [EndpointHandle], avoiding avoided: [EndpointHandle], cost: (EndpointHandle) -> Double
    ) -> EndpointHandle {
        let now = warmUp?.clock.now
        guard var best = draw(from: handles, otherThan: nil, avoided, now) else {
            return pickBad(from: handles, avoided, cost)
        }
        guard handles.count > 1 else { return handles[best] }
        var lowest = cost(handles[best])
        for _ in 1..<choices {
            guard let other = draw(from: handles, otherThan: best, avoided, now) else { continue }
            let otherCost = cost(handles[other])
            if otherCost < lowest { (best, lowest) = (other, otherCost) }
        }
        return handles[best]
    }

    /// The index of a good endpoint; nil when it met none, which is likely when few are good.
    private func draw(
        from handles: [EndpointHandle], otherThan taken: Int?, _ avoided: [EndpointHandle], _ now: MonotonicInstant?
    ) -> Int? {
        var cold: Int?
        for _ in 0..<Self.mostDraws {
            var index = random.index(below: taken == nil ? handles.count : handles.count - 1)
            if let taken, index >= taken { index += 1 }
            guard EndpointPreference.isFresh(handles[index], avoiding: avoided) else { continue }
            guard let warmUp, let now, !warmUp.admits(handles[index], at: now, random) else { return index }
            cold = cold ?? index
        }
        return cold
    }

    // Hardly any is good: all are looked at.
    private func pickBad(
        from handles: [EndpointHandle], _ avoided: [EndpointHandle], _ cost: (EndpointHandle) -> Double
    ) -> EndpointHandle {
        let first = EndpointPreference.draw(from: handles, avoiding: avoided, random) ?? handles[0]
        let others = handles.filter { $0 !== first }
        guard let second = EndpointPreference.draw(from: others, avoiding: avoided, random) else { return first }
        let isAsGood =
            EndpointPreference(second, avoiding: avoided) <= EndpointPreference(first, avoiding: avoided)
        return isAsGood && cost(second) < cost(first) ? second : first
    }
}
