// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct LatencyWindowTests {
    let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test func `quantiles of ten thousand latencies are right to one part in eight`() {
        let random = SplitMixRandom(seed: 7)
        var (window, all) = (LatencyWindow(length: .seconds(10)), [Int]())
        for _ in 0..<10_000 {
            let latency = 1000 + Int(1e8 * random.unit() * random.unit() * random.unit())
            all.append(latency)
            window.add(.nanoseconds(latency), at: start)
        }
        all.sort()
        for share in [0.01, 0.5, 0.9, 0.95, 0.99, 1] {
            let exact = Double(all[max(0, Int((share * 10_000).rounded(.up)) - 1)])
            let read = Double(window.quantile(share).saturatedNanoseconds)
            #expect(read >= exact && read <= exact * 1.13)
        }
    }

    @Test func `what is older than two windows is forgotten`() {
        var window = LatencyWindow(length: .seconds(10))
        window.add(.seconds(1), at: start)
        window.add(.milliseconds(1), at: start.advanced(by: .seconds(10)))
        #expect(window.count == 2)
        window.add(.milliseconds(1), at: start.advanced(by: .seconds(20)))
        #expect(window.count == 2)
        #expect(window.quantile(1) < .milliseconds(2))
        window.add(.milliseconds(1), at: start.advanced(by: .seconds(100)))
        #expect(window.count == 1)
    }

    @Test func `latencies at the ends of their range do not trap`() {
        var window = LatencyWindow(length: .zero)
        #expect(window.quantile(0.5) == .zero)
        for latency in [Duration.zero, .seconds(-5), .nanoseconds(Int64.max), .seconds(Int64.max)] {
            window.add(latency, at: start)
        }
        #expect(window.quantile(0) <= .nanoseconds(8))
        #expect(window.quantile(1) > .seconds(3600))
    }
}
