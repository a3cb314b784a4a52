// SPDX-License-Identifier: Apache-2.0

@testable import ApusAdmin
import ApusCore
import ApusInterceptors
import ApusServices
import ApusTelemetry
import ApusTestSupport
import ApusTransport
import Testing

@Suite struct AdminSiteTests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()
    private let telemetry: AdminTelemetry
    private let health = Health()

    init() { telemetry = AdminTelemetry(clock: clock) }

    private func site(_ channels: [Channel] = [], token: String? = nil, mostListeners: Int = 8) -> AdminSite {
        AdminSite(
            telemetry, health: health, channels: channels, access: AdminAccess(token: token, hosts: []), loops: nil,
            mostListeners: mostListeners)
    }

    private func channel(_ interceptors: [any ClientInterceptor] = []) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, observer: telemetry, clock: clock)
    }

    private func answer(
        _ site: AdminSite, _ path: String, method: String = "GET", _ fields: [String: String] = [:]
    ) -> AdminAnswer? {
        let fields = ["host": "localhost"].merging(fields) { $1 }
        guard case .answer(let answer) = site.reply(to: RequestHead(method: method, path: path, fields: fields)) else {
            return nil
        }
        return answer
    }

    private func json(_ site: AdminSite, _ path: String) throws -> JSON {
        let document = try #require(answer(site, path))
        #expect(document.contentType == "application/json")
        return try JSONReader.read(Array(document.body.utf8))
    }

    // MARK: Who is let in

    @Test func `a page of another name is not here`() {
        #expect(answer(site(), "/metrics", ["host": "evil.example"])?.status == .misdirected)
        #expect(answer(site(), "/metrics")?.status == .ok)
    }

    @Test func `only reading is allowed`() {
        #expect(answer(site(), "/", method: "POST")?.status == .methodNotAllowed)
        #expect(answer(site(), "/", method: "HEAD")?.status == .ok)
        let events = answer(site(), "/events", method: "HEAD")
        #expect(events?.status == .ok && events?.contentType == "text/event-stream; charset=utf-8")
        #expect(answer(site(), "/events", method: "DELETE")?.status == .methodNotAllowed)
    }

    @Test(arguments: [
        "/metrics", "/rpcz", "/rpcz.json", "/config", "/connections", "/loops", "/events", "/snapshot.json",
    ])
    func `with a token all that tells something asks for it`(_ path: String) {
        let site = site(token: "0123456789abcdef")
        #expect(answer(site, path)?.status == .unauthorized)
        #expect(answer(site, path, ["authorization": "Bearer 0123456789abcdef"])?.status != .unauthorized)
    }

    @Test func `the empty page and the probes are for everybody`() {
        let site = site(token: "0123456789abcdef")
        for path in ["/", "/healthz", "/readyz"] { #expect(answer(site, path)?.status == .ok) }
        #expect(answer(site, "/")?.body.contains("0123456789abcdef") == false)
    }

    @Test func `what is not there is not found`() {
        for path in ["/nothing", "/metrics.json", "/.json", "//", "/config/"] {
            #expect(answer(site(), path)?.status == .notFound)
        }
    }

    @Test func `so many read the events, and no more`() {
        let site = site(mostListeners: 2)
        #expect(site.addListener())
        #expect(site.addListener())
        #expect(!site.addListener())
        site.removeListener()
        #expect(site.addListener())
    }

    // MARK: Probes

    @Test func `readiness follows the server's health`() {
        let site = site()
        #expect(answer(site, "/readyz")?.status == .ok)
        health.set("", .notServing)
        #expect(answer(site, "/readyz")?.status == .unavailable)
        health.set("", .serving)
        #expect(answer(site, "/readyz")?.status == .ok)
        health.stop()
        #expect(answer(site, "/readyz")?.status == .unavailable)
        #expect(answer(site, "/healthz")?.status == .ok)
    }

    @Test func `a server that drains is not ready, and the page ends with it`() async throws {
        let network = InMemoryNetwork()
        let running = try network.start(try Server([], observer: telemetry), as: "users")
        let site = site()
        site.show(running.inspection)
        #expect(answer(site, "/readyz")?.status == .ok)
        #expect(!site.hasEnded)
        await running.stop(grace: .seconds(5))
        #expect(answer(site, "/readyz")?.status == .unavailable)
        #expect(site.hasEnded)
    }

    @Test func `a page without servers does not end`() {
        #expect(!site().hasEnded)
    }

    // MARK: What is told

    @Test func `text or JSON is what the path or the request asks for`() {
        #expect(answer(site(), "/rpcz")?.contentType == "text/plain; charset=utf-8")
        #expect(answer(site(), "/rpcz.json")?.contentType == "application/json")
        #expect(answer(site(), "/rpcz", ["accept": "application/json"])?.contentType == "application/json")
        #expect(answer(site(), "/rpcz", ["accept": "text/html, application/json"])?.contentType != "application/json")
    }

    @Test func `the snapshot tells calls, errors and times of a service`() async throws {
        let channel = channel()
        script.expect().run { [clock] _ in
            clock.advance(by: .milliseconds(7))
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        _ = try await channel.ask()
        script.expect().fail(RPCError(.internal, "broken"))
        await #expect(throws: RPCError.self) { try await channel.ask() }
        let snapshot = try json(site([channel]), "/snapshot.json")
        guard case .array(let services)? = snapshot["services"], let service = services.first else {
            Issue.record("no service in \(snapshot)")
            return
        }
        #expect(services.count == 1)
        #expect(service["name"] == .string("users"))
        #expect(service["calls"] == .number(2))
        #expect(service["errors"] == .number(1))
        #expect(service["statuses"] == .object(["OK": .number(1), "INTERNAL": .number(1)]))
        #expect(service["p99"] != .null)
    }

    @Test func `the snapshot tells endpoints with their picks`() throws {
        let candidates = Candidates([
            Endpoint(host: "10.0.0.1", port: 1, metadata: ["zone": "a"]), Endpoint(host: "10.0.0.2", port: 2),
        ])
        telemetry.resolved("users", from: nil, to: candidates)
        let call = ClientCall(method: .unary, target: "users", request: .one(MessageBytes([])))
        for _ in 0..<3 { telemetry.picked(candidates.handles[0], for: call) }
        let snapshot = try json(site(), "/snapshot.json")
        guard case .array(let services)? = snapshot["services"],
            case .array(let endpoints)? = services.first?["endpoints"]
        else {
            Issue.record("no endpoints in \(snapshot)")
            return
        }
        #expect(endpoints.map { $0["picks"] } == [.number(3), .number(0)])
        #expect(endpoints.map { $0["address"] } == [.string("10.0.0.1:1"), .string("10.0.0.2:2")])
        #expect(endpoints.first?["metadata"] == .object(["zone": .string("a")]))
    }

    @Test func `an endpoint of several channels is one, until the last of them closes`() throws {
        let lists = (0..<2).map { _ in Candidates([.local(1)]) }
        for list in lists { telemetry.resolved("users", from: nil, to: list) }
        let call = ClientCall(method: .unary, target: "users", request: .one(MessageBytes([])))
        for list in lists { telemetry.picked(list.handles[0], for: call) }
        func endpoints() throws -> [JSON] {
            guard case .array(let services)? = try json(site(), "/snapshot.json")["services"],
                case .array(let endpoints)? = services.first?["endpoints"]
            else { return [] }
            return endpoints
        }
        #expect(try endpoints().map { $0["picks"] } == [.number(2)])
        telemetry.resolved("users", from: lists[0], to: nil)
        #expect(try endpoints().map { $0["state"] } == [.string("IDLE")])
        telemetry.resolved("users", from: lists[1], to: nil)
        #expect(try endpoints().allSatisfy { $0["state"] == nil })
    }

    @Test func `of several channels' breakers of one place the worst tells, and those that are no more are not told`()
        throws
    {
        func change(_ place: Int, _ old: BreakerState?, _ new: BreakerState?) {
            let endpoint = Endpoint(host: "10.0.0.1", port: place)
            telemetry.policyEvent(
                .breaker(name: "b", endpoint: endpoint, method: nil, from: old, to: new), of: "users")
        }
        change(1, nil, .open)
        change(1, nil, .open)
        change(1, .open, .halfOpen)
        change(2, nil, .halfOpen)
        change(3, nil, .open)
        change(3, .open, nil)
        telemetry.resolved("users", from: nil, to: Candidates())
        let snapshot = try json(site(), "/snapshot.json")
        guard case .array(let services)? = snapshot["services"],
            case .array(let breakers)? = services.first?["breakers"]
        else {
            Issue.record("no breakers in \(snapshot)")
            return
        }
        #expect(breakers.map { $0["endpoint"] } == [.string("10.0.0.1:1"), .string("10.0.0.1:2")])
        #expect(breakers.map { $0["state"] } == [.string("open"), .string("half open")])
    }

    @Test func `a snapshot is shared for half a second`() {
        let site = site()
        let first = site.snapshotText
        clock.advance(by: .milliseconds(499))
        #expect(site.snapshotText == first)
        clock.advance(by: .milliseconds(1))
        #expect(site.snapshotText != first)
    }

    @Test func `the configuration names policies and the document in force with its source`() throws {
        let config = LiveServiceConfig(clock: clock)
        try config.apply(Array(#"{"methodConfig": [{"name": [{}], "timeout": "2s"}]}"#.utf8), name: "client.json")
        let channel = channel([Deadline(.seconds(1)), ServiceConfigured(config)])
        let told = try json(site([channel]), "/config.json")
        guard case .array(let channels)? = told["channels"], let first = channels.first else {
            Issue.record("no channel in \(told)")
            return
        }
        #expect(first["interceptors"] == .array([.string("Deadline"), .string("ServiceConfigured")]))
        #expect(first["service_config"]?["source"] == .string("client.json"))
        let methods = JSON.array([.object(["name": .array([.object([:])]), "timeout": .string("2s")])])
        #expect(first["service_config"]?["document"] == .object(["methodConfig": methods]))
    }

    @Test func `the configuration tells each policy's own values, in their order`() throws {
        let channel = channel([
            Deadline(.seconds(2)), Retry(.exponential(maxAttempts: 3), budget: RetryBudget()), RandomBalancer(),
            RateLimit(.window(5, per: .seconds(60)), per: .metadata("x-shop")),
        ])
        let told = try json(site([channel]), "/config.json")
        guard case .array(let channels)? = told["channels"], case .array(let rows)? = channels.first?["policies"] else {
            Issue.record("no policies in \(told)")
            return
        }
        func row(_ place: Int, _ policy: String, _ setting: JSON, _ value: JSON) -> JSON {
            .object(["place": .number(Double(place)), "policy": .string(policy), "setting": setting, "value": value])
        }
        #expect(
            rows.prefix(3) == [
                row(1, "Deadline", .string("timeout"), .string("2.0 seconds")),
                row(1, "Deadline", .string("margin"), .string("0.0 seconds")),
                row(2, "Retry", .string("attempts"), .string("3")),
            ])
        #expect(rows.contains(row(2, "Retry", .string("codes"), .string("UNAVAILABLE"))))
        #expect(rows.contains(row(3, "RandomBalancer", .null, .null)))
        #expect(rows.contains(row(4, "RateLimit", .string("rate"), .string("5 per 60.0 seconds"))))
        #expect(rows.contains(row(4, "RateLimit", .string("per"), .string("metadata x-shop"))))

        let text = try #require(answer(site([channel]), "/config")?.body)
        #expect(text.contains("Deadline        timeout      2.0 seconds"), "\(text)")
    }

    @Test func `a document that was refused is told with its reason`() throws {
        let config = LiveServiceConfig(clock: clock)
        #expect(throws: RPCError.self) { try config.apply(Array("{".utf8), name: "broken.json") }
        let told = try json(site([channel([ServiceConfigured(config)])]), "/config.json")
        guard case .array(let channels)? = told["channels"],
            case .string(let reason)? = channels.first?["service_config"]?["refused"]
        else {
            Issue.record("no reason in \(told)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(channels.first?["service_config"]?["document"] == .null)
    }

    @Test func `a secret that a policy holds is told nowhere`() throws {
        let channel = channel([CallCredentials(token: "opensesame")])
        for path in ["/config", "/config.json", "/snapshot.json"] {
            #expect(answer(site([channel]), path)?.body.contains("opensesame") == false)
            #expect(answer(site([channel]), path)?.status == .ok)
        }
    }

    @Test func `a long message of a peer is cut`() async throws {
        let channel = channel()
        script.expect().fail(RPCError(.internal, String(repeating: "ä", count: 5000)))
        await #expect(throws: RPCError.self) { try await channel.ask() }
        let text = try #require(answer(site(), "/rpcz.json")?.body)
        #expect(text.contains(String(repeating: "ä", count: 300) + "…"))
        #expect(!text.contains(String(repeating: "ä", count: 301)))
    }

    // MARK: The page

    @Test func `the page runs only what it brings, and asks nobody else`() throws {
        let page = try #require(answer(site(), "/"))
        let policy = try #require(page.fields["Content-Security-Policy"])
        let again = try #require(answer(site(), "/")?.fields["Content-Security-Policy"])
        #expect(policy.hasPrefix("default-src 'none'; script-src 'nonce-"))
        #expect(!policy.contains("unsafe"))
        #expect(policy != again)
        #expect(page.body.components(of: "http://") == 1, "the name of SVG alone")
        for markup in [
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " onclick", " style=",
        ] {
            #expect(!page.body.contains(markup), "\(markup)")
        }
    }
}

extension String {
    // How often a text stands in it.
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
