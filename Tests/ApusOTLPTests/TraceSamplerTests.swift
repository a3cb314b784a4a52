// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusOTLP
import Testing

@Suite struct TraceSamplerTests {
    @Test func `all, none and a share of traces`() {
        let random = SplitMixRandom(seed: 3)
        let traces = (0..<10_000).map { _ in random.next() } + [0, .max]
        func count(_ sampler: TraceSampler) -> Int {
            traces.count { sampler.samples(trace: $0, parent: nil) }
        }
        #expect(count(.alwaysOn) == traces.count && count(.ratio(7)) == traces.count)
        #expect(count(.alwaysOff) == 0 && count(.ratio(-1)) == 0 && count(.ratio(.nan)) == 0)
        #expect((800...1200).contains(count(.ratio(0.1))))
        // Who takes fewer takes some of the same.
        for trace in traces where TraceSampler.ratio(0.1).samples(trace: trace, parent: nil) {
            #expect(TraceSampler.ratio(0.2).samples(trace: trace, parent: nil))
        }
    }

    @Test func `a parent decides where it is asked`() {
        let sampler = TraceSampler.parentBased(root: .alwaysOff)
        #expect(sampler.samples(trace: 1, parent: true))
        #expect(!sampler.samples(trace: 1, parent: nil))
        #expect(!TraceSampler.parentBased(root: .alwaysOn).samples(trace: 1, parent: false))
        #expect(TraceSampler.alwaysOn.samples(trace: 1, parent: false))
    }

    @Test func `the environment names the sampler`() throws {
        #expect(try TraceSampler(environment: [:]) == .parentBased(root: .alwaysOn))
        let half = ["OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"]
        #expect(try TraceSampler(environment: half) == .parentBased(root: .ratio(0.5)))
        for (name, sampler) in [
            ("always_on", TraceSampler.alwaysOn), ("always_off", .alwaysOff), ("traceidratio", .ratio(1)),
            ("parentbased_always_off", .parentBased(root: .alwaysOff)),
        ] {
            #expect(try TraceSampler(environment: ["OTEL_TRACES_SAMPLER": name]) == sampler)
        }
    }

    @Test(arguments: [
        ["OTEL_TRACES_SAMPLER": "sometimes"],
        ["OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"],
        ["OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "few"],
    ]) func `an unknown sampler is an error`(_ environment: [String: String]) {
        #expect(throws: RPCError.self) { try TraceSampler(environment: environment) }
    }
}
