// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

/// A balancer by its name: what all of them do alike is tested once.
struct AnyBalancer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (any RandomSource) -> any RoutingInterceptor

    private init(_ name: String, _ make: @escaping @Sendable (any RandomSource) -> any RoutingInterceptor) {
        testDescription = name
        self.make = make
    }

    static let all: [AnyBalancer] = [
        AnyBalancer("RandomBalancer") { RandomBalancer(random: $0) },
        AnyBalancer("RoundRobin") { RoundRobin(random: $0) },
        AnyBalancer("LeastRequest") { LeastRequest(random: $0) },
        AnyBalancer("WeightedRandomBalancer") { WeightedRandomBalancer(random: $0) },
        AnyBalancer("PickFirst") { PickFirst(shuffles: true, random: $0) },
        AnyBalancer("PeakEWMA") { PeakEWMA(random: $0) },
        AnyBalancer("WeightedRoundRobin") { WeightedRoundRobin(reports: NoReports(), random: $0) },
        AnyBalancer("RingHash") { RingHash(by: .random, random: $0) },
        AnyBalancer("Maglev") { Maglev(by: .random, size: 1009, random: $0) },
    ]
}

/// Servers that say nothing.
private struct NoReports: LoadReportSource {
    var isOutOfBand: Bool { false }

    func report(in trailers: Metadata) -> LoadReport? { nil }

    func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws {}
}
