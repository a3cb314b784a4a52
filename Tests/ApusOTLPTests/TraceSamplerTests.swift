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

    @Test func `the environment names the sampler`() {
        #expect(TraceSampler(environment: [:]) == .parentBased(root: .alwaysOn))
        let half = ["OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"]
        #expect(TraceSampler(environment: half) == .parentBased(root: .ratio(0.5)))
        for (name, sampler) in [
            ("always_on", TraceSampler.alwaysOn), ("always_off", .alwaysOff), ("traceidratio", .ratio(1)),
            ("parentbased_always_off", .parentBased(root: .alwaysOff)),
        ] {
            #expect(TraceSampler(environment: ["OTEL_TRACES_SAMPLER": name]) == sampler)
        }
    }

    @Test(arguments: ["sometimes", "parentbased_", "parentbased_jaeger_remote", "ALWAYS_OFF"])
    func `a sampler that is not known is told and ignored, with its argument`(_ name: String) {
        var warnings: [String] = []
        let environment = ["OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": "0.5"]
        #expect(TraceSampler(environment: environment) { warnings.append($0) } == .parentBased(root: .alwaysOn))
        #expect(warnings == ["OTEL_TRACES_SAMPLER is no sampler that is known here: \"\(name)\" is ignored"])
    }

    @Test(arguments: ["2", "-0.1", "few", "nan", "inf"])
    func `a ratio that cannot be is told and ignored`(_ ratio: String) {
        var warnings: [String] = []
        let environment = ["OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio]
        #expect(TraceSampler(environment: environment) { warnings.append($0) } == .ratio(1))
        #expect(warnings.count == 1 && warnings.allSatisfy { $0.contains("\"\(ratio)\"") })
    }

    @Test func `what is empty, or means nothing for the sampler, is not told`() {
        var warnings: [String] = []
        for environment in [
            ["OTEL_TRACES_SAMPLER": "", "OTEL_TRACES_SAMPLER_ARG": "few"],
            ["OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ""],
            ["OTEL_TRACES_SAMPLER": "always_on", "OTEL_TRACES_SAMPLER_ARG": "few"],
        ] {
            _ = TraceSampler(environment: environment) { warnings.append($0) }
        }
        #expect(warnings.isEmpty)
    }
}
