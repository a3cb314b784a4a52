// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import ApusInterceptors
package import ApusServices
import ApusTelemetry
package import ApusTransport
import Synchronization

/// What the admin page tells, request by request; whoever has sockets asks it. Safe from any thread.
package final class AdminSite: Sendable {
    private struct State {
        var servers: [ServerInspection] = []
        var listeners = 0
        var snapshot: (text: String, at: MonotonicInstant)?
    }

    /// A loop that has not answered for so long is held.
    package static let heldAfter = Duration.seconds(5)
    /// A snapshot is shared by all who ask within this time.
    private static let snapshotAge = Duration.milliseconds(500)
    private static let mostServers = 64

    private let telemetry: AdminTelemetry
    private let health: Health?
    private let channels: [Channel]
    private let access: AdminAccess
    private let loops: LoopWatch?
    private let clock: any MonotonicClock
    private let began: MonotonicInstant
    private let mostListeners: Int
    private let state = Mutex(State())

    /// - Parameter loops: whose loops are watched; nil watches none.
    package init(
        _ telemetry: AdminTelemetry, health: Health?, channels: [Channel], access: AdminAccess, loops: EventLoops?,
        mostListeners: Int = 8
    ) {
        self.telemetry = telemetry
        self.health = health
        self.channels = channels
        self.access = access
        clock = telemetry.clock
        began = telemetry.clock.now
        self.loops = loops.map { LoopWatch($0, clock: telemetry.clock) }
        self.mostListeners = mostListeners
    }

    // MARK: Servers and loops

    /// Tells of a server, too.
    package func show(_ server: ServerInspection) {
        state.withLock { state in
            state.servers.removeAll { $0.isStopped }
            if state.servers.count < Self.mostServers { state.servers.append(server) }
        }
    }

    /// Whether there were servers, and the last one has stopped.
    package var hasEnded: Bool {
        let servers = state.withLock { $0.servers }
        return !servers.isEmpty && servers.allSatisfy(\.isStopped)
    }

    /// Asks the loops; to be called some times a second.
    package func askLoops() { loops?.ask(about: state.withLock { $0.servers }) }

    // MARK: Listeners

    /// Takes one more reader of events, or refuses it.
    package func addListener() -> Bool {
        state.withLock { state in
            guard state.listeners < mostListeners else { return false }
            state.listeners += 1
            return true
        }
    }

    package func removeListener() { state.withLock { $0.listeners -= 1 } }

    // MARK: Requests

    /// What a request gets.
    package enum Reply: Sendable, Equatable {
        /// An answer.
        case answer(AdminAnswer)
        /// A snapshot each second, after ``addListener()``.
        case events
    }

    /// Answers a request.
    package func reply(to head: RequestHead) -> Reply {
        guard access.isKnown(host: head.fields["host"]) else {
            return .answer(AdminAnswer(.misdirected, because: "this page is not known under that host name"))
        }
        guard head.method == "GET" || head.method == "HEAD" else { return .answer(AdminAnswer(.methodNotAllowed)) }
        // The page itself tells nothing, and probes tell no more than a status: who asks needs no token.
        switch head.path {
        case "/": return .answer(AdminPage.answer(asksForToken: access.asksForToken))
        case "/healthz": return .answer(liveness)
        case "/readyz": return .answer(readiness)
        default: break
        }
        guard access.isAuthorized(head.fields["authorization"]) else {
            return .answer(AdminAnswer(.unauthorized, because: "send the token as Authorization: Bearer"))
        }
        if head.path == "/events" {
            return head.method == "GET" ? .events : .answer(AdminAnswer(.ok, "", contentType: AdminAnswer.events))
        }
        return .answer(document(head))
    }

    private func document(_ head: RequestHead) -> AdminAnswer {
        var path = head.path
        var wantsJSON = head.fields["accept"].map(Self.prefersJSON) ?? false
        if path.hasSuffix(".json") {
            path.removeLast(5)
            wantsJSON = true
        }
        if path == "/metrics", !head.path.hasSuffix(".json") {
            return AdminAnswer(
                .ok, PrometheusText.render(telemetry.registry.families), contentType: PrometheusText.contentType)
        }
        guard let document = json(path) else { return AdminAnswer(.notFound) }
        return wantsJSON
            ? AdminAnswer(.ok, document.text, contentType: "application/json")
            : AdminAnswer(.ok, PlainText.render(document))
    }

    // The one that is named first, as people's programs have it.
    private static func prefersJSON(_ accept: String) -> Bool {
        accept.split(separator: ",").first?.hasPrefix("application/json") ?? false
    }

    private func json(_ path: String) -> JSON? {
        switch path {
        case "/config": .object(ConfigReport(channels: channels, servers: servers).members)
        case "/rpcz": .object(CallReport(now: clock.now).calls(telemetry.calls))
        case "/connections": .object(["clients": services.connections, "servers": serverCounts])
        case "/loops": .object(["loops": loopStates])
        case "/snapshot": snapshot
        default: nil
        }
    }

    // MARK: Probes

    private var liveness: AdminAnswer {
        let held = (loops?.states ?? []).enumerated().filter { $1.lag >= Self.heldAfter }
        guard let (number, state) = held.first else { return AdminAnswer(.ok, "ok\n") }
        let seconds = state.lag.components.seconds
        return AdminAnswer(.unavailable, because: "loop \(number) has not answered for \(seconds) s")
    }

    private var readiness: AdminAnswer {
        if servers.contains(where: \.isStopping) { return AdminAnswer(.unavailable, because: "the server stops") }
        guard let health else { return AdminAnswer(.ok, "ok\n") }
        guard health.states[""] == .serving else { return AdminAnswer(.unavailable, because: "not serving") }
        return AdminAnswer(.ok, "ok\n")
    }

    // MARK: What is told

    private var servers: [ServerInspection] { state.withLock { $0.servers } }

    private var services: ServiceReport {
        ServiceReport(
            series: MeasuredSeries(telemetry.registry.families), handles: telemetry.targets.handles,
            channels: channels)
    }

    private var serverCounts: JSON {
        .array(
            servers.map { server in
                let counts = server.counts
                return .object([
                    "addresses": .array(server.addresses.map { .string("\($0)") }),
                    "services": .array(server.services.map(JSON.string)), "stopping": .bool(server.isStopping),
                    "connections": .integer(counts.connections), "handshakes": .integer(counts.handshakes),
                    "refused": .integer(counts.refused), "handlers": .integer(counts.handlers),
                    "calls": .integer(counts.calls),
                ])
            })
    }

    private var loopStates: JSON {
        .array(
            (loops?.states ?? []).enumerated().map { number, state in
                .object([
                    "loop": .integer(number), "lag": .seconds(state.lag), "connections": .integer(state.connections),
                    "streams": .integer(state.streams),
                ])
            })
    }

    private var snapshot: JSON {
        let services = services
        let report = CallReport(now: clock.now)
        return .object([
            "uptime": .seconds(began.duration(to: clock.now)), "ready": .bool(readiness.status == .ok),
            "health": .object((health?.states ?? [:]).mapValues { .string("\($0)") }), "servers": serverCounts,
            "loops": loopStates, "services": services.services, "served": services.served,
            "calls": .object(report.calls(telemetry.calls, most: 8)), "events": report.events(telemetry.events),
            "bounds": .array(CallTally.bounds.map { .number(Double($0) / 1e9) }),
        ])
    }

    /// The snapshot that readers of events get now.
    package var snapshotText: String {
        let now = clock.now
        let known = state.withLock { $0.snapshot }
        if let known, known.at.duration(to: now) < Self.snapshotAge { return known.text }
        let text = snapshot.text
        state.withLock { $0.snapshot = (text, now) }
        return text
    }
}
