// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry
import Testing

@Suite struct PrometheusTextTests {
    private func page(_ metric: Metric, _ labels: [Metric.Label], _ value: MetricFamily.Value) -> String {
        PrometheusText.render([
            MetricFamily(metric: metric, series: [MetricFamily.Series(labels: labels, value: value)])
        ])
    }

    @Test func `a counter ends in total`() {
        let metric = Metric("grpc.client.attempt.started", .counter, .count("attempt"), "Tries.")
        #expect(
            page(metric, [Metric.Label("grpc.method", "a.B/C")], .number(7)) == """
                # HELP grpc_client_attempt_started_total Tries.
                # TYPE grpc_client_attempt_started_total counter
                grpc_client_attempt_started_total{grpc_method="a.B/C"} 7

                """)
    }

    @Test func `a histogram of times is in seconds and its buckets add up`() {
        let metric = Metric("test.time", .histogram([10_000, 1_500_000_000]), .seconds, "Time.")
        #expect(
            page(metric, [], .histogram(buckets: [1, 2, 4], sum: 20_300_000_001)) == """
                # HELP test_time_seconds Time.
                # TYPE test_time_seconds histogram
                test_time_seconds_bucket{le="0.00001"} 1
                test_time_seconds_bucket{le="1.5"} 3
                test_time_seconds_bucket{le="+Inf"} 7
                test_time_seconds_sum 20.300000001
                test_time_seconds_count 7

                """)
    }

    @Test func `sizes say that they are bytes, and gauges may be negative`() {
        let metric = Metric("test.size", .gauge, .bytes, "Size.")
        #expect(page(metric, [], .number(-3)).hasSuffix("test_size_bytes -3\n"))
        let time = Metric("test.time", .gauge, .seconds, "Time.")
        #expect(page(time, [], .number(-2_050_000_000)).hasSuffix("test_time_seconds -2.05\n"))
    }

    @Test func `labels and help are escaped`() {
        let metric = Metric("1 süß", .gauge, .count("x"), "two\nlines \\ \"quoted\"")
        #expect(
            page(metric, [Metric.Label("a.b-c", "say \"hi\"\n\\ 🐦")], .number(1)) == """
                # HELP _1_s__ two\\nlines \\\\ "quoted"
                # TYPE _1_s__ gauge
                _1_s__{a_b_c="say \\"hi\\"\\n\\\\ 🐦"} 1

                """)
    }

    @Test func `a metric without series is not shown`() {
        #expect(PrometheusText.render([MetricFamily(metric: Metric("a", .gauge, .bytes, ""), series: [])]) == "")
    }
}
