// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import ApusTestSupport
import Testing

@Suite struct EventMetricsTests {
    private let registry = MetricRegistry()
    private let endpoint = Endpoint.local(1)

    @Test func `connections are counted from the changes of each way`() {
        let metrics = CallMetrics(registry)
        // Two loops: one connects and loses its connection, the other fails, then connects.
        let changes: [(ConnectivityState, ConnectivityState)] = [
            (.idle, .connecting), (.idle, .connecting), (.connecting, .ready), (.connecting, .transientFailure),
            (.transientFailure, .connecting), (.connecting, .ready), (.ready, .ready), (.ready, .idle),
        ]
        for (old, new) in changes { metrics.connectivityChanged(endpoint, from: old, to: new) }
        #expect(registry.counts("grpc.subchannel.open_connections") == ["127.0.0.1:1": 1])
        #expect(registry.counts("grpc.subchannel.connection_attempts_succeeded") == ["127.0.0.1:1": 2])
        #expect(registry.counts("grpc.subchannel.connection_attempts_failed") == ["127.0.0.1:1": 1])
        #expect(registry.counts("grpc.subchannel.disconnections") == ["127.0.0.1:1": 1])
    }

    @Test func `endpoints above the limit are one`() {
        let metrics = CallMetrics(registry, maximumMethods: 2)
        for port in 1...5 { metrics.connectivityChanged(.local(port), from: .connecting, to: .ready) }
        #expect(
            registry.counts("grpc.subchannel.open_connections") == ["127.0.0.1:1": 1, "127.0.0.1:2": 1, "other": 3])
    }

    @Test func `breakers show their state and count its changes`() {
        let metrics = CallMetrics(registry)
        let changes: [(BreakerState?, BreakerState)] = [(nil, .open), (.open, .halfOpen), (.halfOpen, .open)]
        for (old, new) in changes {
            metrics.policyEvent(.breaker(name: "b", endpoint: endpoint, method: nil, from: old, to: new))
        }
        metrics.policyEvent(.breaker(name: "b", endpoint: nil, method: .unary, from: nil, to: .halfOpen))
        #expect(
            registry.counts("apus.client.breaker.state") == [
                "b|127.0.0.1:1||open": 1, "b|127.0.0.1:1||half_open": 0, "b||test.Service/Unary|half_open": 1,
            ])
        #expect(
            registry.counts("apus.client.breaker.changes") == [
                "b|127.0.0.1:1||open": 2, "b|127.0.0.1:1||half_open": 1, "b||test.Service/Unary|half_open": 1,
            ])
    }

    @Test func `ejections, health, configuration and lists are shown`() {
        let metrics = CallMetrics(registry)
        let events: [PolicyEvent] = [
            .ejected(endpoint, for: .seconds(1)), .readmitted(endpoint), .ejected(endpoint, for: .seconds(2)),
            .health(endpoint, isServing: false), .health(.local(2), isServing: true),
            .configurationApplied(source: "f"), .configurationRefused(source: "f", reason: "bad"),
        ]
        for event in events { metrics.policyEvent(event) }
        metrics.resolved("users", from: nil, to: Candidates([.local(1), .local(2)]))
        #expect(registry.counts("apus.client.outlier.ejections") == ["127.0.0.1:1": 2])
        #expect(registry.counts("apus.client.outlier.ejected") == ["127.0.0.1:1": 1])
        #expect(registry.counts("apus.client.health.unhealthy") == ["127.0.0.1:1": 1, "127.0.0.1:2": 0])
        #expect(registry.counts("apus.client.configurations") == ["f|applied": 1, "f|refused": 1])
        #expect(registry.counts("apus.client.endpoints") == ["users": 2])
        #expect(registry.counts("apus.client.resolutions") == ["users": 1])
    }

    @Test func `what several channels say of one endpoint is added up`() {
        // Two observers of one registry, one of which two channels share.
        let (first, second) = (CallMetrics(registry), CallMetrics(registry))
        for metrics in [first, first, second] {
            metrics.policyEvent(.ejected(endpoint, for: .seconds(1)))
            metrics.policyEvent(.health(endpoint, isServing: false))
        }
        first.policyEvent(.readmitted(endpoint))
        first.policyEvent(.health(endpoint, isServing: true))
        #expect(registry.counts("apus.client.outlier.ejected") == ["127.0.0.1:1": 2])
        #expect(registry.counts("apus.client.health.unhealthy") == ["127.0.0.1:1": 2])
        for metrics in [first, second, second] {
            metrics.policyEvent(.readmitted(endpoint))
            metrics.policyEvent(.health(endpoint, isServing: true))
        }
        #expect(registry.counts("apus.client.outlier.ejected") == ["127.0.0.1:1": 0])
        #expect(registry.counts("apus.client.health.unhealthy") == ["127.0.0.1:1": 0])
    }

    @Test func `a connection that was there before the observer does not make less than none`() {
        let metrics = CallMetrics(registry)
        metrics.connectivityChanged(endpoint, from: .ready, to: .idle)
        #expect(registry.counts("grpc.subchannel.open_connections") == ["127.0.0.1:1": 0])
        metrics.connectivityChanged(endpoint, from: .connecting, to: .ready)
        #expect(registry.counts("grpc.subchannel.open_connections") == ["127.0.0.1:1": 1])
    }

    @Test func `breakers of one name are told apart by their targets`() {
        let metrics = CallMetrics(registry)
        metrics.policyEvent(.breaker(name: "b", endpoint: nil, method: nil, from: nil, to: .open), of: "users")
        metrics.policyEvent(.breaker(name: "b", endpoint: nil, method: nil, from: nil, to: .closed), of: "orders")
        #expect(registry.counts("apus.client.breaker.state") == ["b|||users|open": 1, "b|||orders|closed": 1])
    }

    @Test func `breakers of one place are counted by state, and those that are no more are not`() {
        let metrics = CallMetrics(registry)
        func change(_ old: BreakerState?, _ new: BreakerState?) {
            metrics.policyEvent(.breaker(name: "b", endpoint: nil, method: nil, from: old, to: new), of: "users")
        }
        change(nil, .open)
        change(nil, .open)
        change(.open, .halfOpen)
        change(.halfOpen, .closed)
        let labels = #"apus_breaker="b",apus_endpoint="",grpc_method="",grpc_target="users""#
        let series = "apus_client_breaker_state{\(labels)"
        let page = PrometheusText.render(registry.families)
        for (state, count) in [("closed", 1), ("half_open", 0), ("open", 1)] {
            #expect(page.contains("\(series),apus_state=\"\(state)\"} \(count)\n"), "\(page)")
        }
        change(.open, nil)
        change(.closed, nil)
        #expect(registry.counts("apus.client.breaker.state").values.allSatisfy { $0 == 0 })
    }

    @Test func `channels of one target add up their endpoints, and one that closes takes its own back`() {
        // Two observers of one registry, one of which two channels share.
        let (first, second) = (CallMetrics(registry), CallMetrics(registry))
        func list(_ count: Int) -> Candidates { Candidates((0..<count).map { .local($0 + 1) }) }
        first.resolved("users", from: nil, to: list(3))
        first.resolved("users", from: nil, to: list(2))
        second.resolved("users", from: nil, to: list(1))
        #expect(registry.counts("apus.client.endpoints") == ["users": 6])
        first.resolved("users", from: list(3), to: list(1))
        #expect(registry.counts("apus.client.endpoints") == ["users": 4])
        first.resolved("users", from: list(2), to: nil)
        #expect(registry.counts("apus.client.endpoints") == ["users": 2])
        #expect(registry.counts("apus.client.resolutions") == ["users": 4])
    }

    @Test func `what a server does to protect itself is counted by kind`() {
        let metrics = CallMetrics(registry)
        let address = endpoint.address
        let events: [ServerEvent] = [
            .outOfDescriptors(listener: address), .descriptorsAvailable(listener: address, refused: 4),
            .connectionRefused(peer: address, reason: "too many"), .connectionRefused(peer: address, reason: "slow"),
            .buffersExceeded(held: 9, limit: 8, ended: 3),
        ]
        for event in events { metrics.serverEvent(event) }
        #expect(
            registry.counts("apus.server.guard.events") == [
                "out_of_descriptors": 1, "refused_without_descriptor": 4, "connection_refused": 2,
                "stream_ended_for_buffers": 3,
            ])
    }
}
