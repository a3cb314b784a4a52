// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

extension TokenCourse.Answer: Equatable {
    static func == (left: Self, right: Self) -> Bool { "\(left)" == "\(right)" }
}

struct TokenCourseTests {
    private let start = MonotonicInstant(nanoseconds: 0)

    private func at(_ seconds: Double) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }

    @Test func `one call asks, the others wait, and all use what comes`() {
        var course = TokenCourse()
        #expect(course.next(at: start) == .refresh)
        #expect(course.next(at: start) == .wait)
        course.got(AccessToken("a"), at: start)
        #expect(course.next(at: start) == .use("a"))
        #expect(course.next(at: at(1e9)) == .use("a"))
    }

    @Test func `a token that ends soon is replaced while it is still used`() {
        var course = TokenCourse()
        _ = course.next(at: start)
        course.got(AccessToken("a", lifetime: .seconds(600)), at: start)
        #expect(course.next(at: at(539)) == .use("a"))
        #expect(course.next(at: at(540)) == .useAndRefresh("a"))
        #expect(course.next(at: at(541)) == .use("a"))
        course.got(AccessToken("b", lifetime: .seconds(10)), at: at(541))
        #expect(course.next(at: at(548)) == .use("b"))
        // A fifth of a short life.
        #expect(course.next(at: at(549)) == .useAndRefresh("b"))
        course.failed(RPCError(.unavailable, "away"), at: at(549))
        #expect(course.next(at: at(549.5)) == .use("b"))
        #expect(course.next(at: at(550)) == .useAndRefresh("b"))
        // Its end comes before the answer.
        #expect(course.next(at: at(551)) == .wait)
    }

    @Test func `after a failure calls fail for a second, and then ask again`() {
        var course = TokenCourse()
        _ = course.next(at: start)
        let error = RPCError(.unavailable, "away")
        course.failed(error, at: start)
        guard case .fail(let told) = course.next(at: at(0.9)) else { return #expect(Bool(false), "no failure") }
        #expect(told.message == "away")
        #expect(course.next(at: at(1)) == .refresh)
        course.got(AccessToken("late", lifetime: .zero), at: at(1))
        guard case .fail = course.next(at: at(1)) else { return #expect(Bool(false), "a token without time is none") }
    }

    @Test func `a refused token is not used again, but for one that is new`() {
        var course = TokenCourse()
        _ = course.next(at: start)
        course.got(AccessToken("a"), at: start)
        course.refused("a", at: at(0.5))
        #expect(course.next(at: at(0.5)) == .use("a"))
        course.refused("other", at: at(5))
        #expect(course.next(at: at(5)) == .use("a"))
        course.refused("a", at: at(5))
        #expect(course.next(at: at(5)) == .refresh)
    }

    @Test func `over ten thousand random steps nobody asks twice at once, and no token is used after its end`() {
        let random = SplitMixRandom(seed: 7)
        var course = TokenCourse()
        var (now, asking, ends) = (0.0, false, 0.0)
        var used = 0
        for step in 0..<10_000 {
            now += Double(random.index(below: 1000)) / 500
            switch random.index(below: 4) {
            case 0 where asking:
                let lifetime = 1 + Double(random.index(below: 100))
                course.got(AccessToken("\(step)", lifetime: .seconds(lifetime)), at: at(now))
                (asking, ends) = (false, now + lifetime)
            case 1 where asking:
                course.failed(RPCError(.unavailable, "away"), at: at(now))
                asking = false
            default:
                switch course.next(at: at(now)) {
                case .use:
                    used += 1
                    #expect(now < ends)
                case .useAndRefresh:
                    #expect(now < ends && !asking)
                    asking = true
                case .refresh:
                    #expect(!asking)
                    asking = true
                case .wait: #expect(asking)
                case .fail: #expect(!asking)
                }
            }
        }
        #expect(used > 1000)
    }
}

struct CallCredentialsTests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()

    private func channel(_ interceptors: any ClientInterceptor...) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, clock: clock)
    }

    private var sent: [String?] { script.calls.map { $0.metadata["authorization"] } }

    @Test func `each try has the newest token`() async throws {
        let count = Count()
        let clock = clock
        let credentials = CallCredentials(clock: clock) { AccessToken("t\(count.add())", lifetime: .seconds(10)) }
        let channel = channel(credentials)
        script.otherwise.reply("fine")
        try await channel.ask()
        try await channel.ask()
        clock.advance(by: .seconds(11))
        try await channel.ask()
        #expect(sent == ["Bearer t1", "Bearer t1", "Bearer t2"])
    }

    @Test func `many calls at once ask once`() async throws {
        let (count, gate) = (Count(), Gate())
        let credentials = CallCredentials(clock: clock) {
            count.add()
            await gate.wait()
            return AccessToken("t")
        }
        let channel = channel(credentials)
        script.otherwise.reply("fine")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await channel.ask() } }
            gate.open()
            try await group.waitForAll()
        }
        #expect(count.value == 1 && sent.count == 50 && Set(sent) == ["Bearer t"])
    }

    @Test func `a token that a server refuses is replaced for the next call`() async throws {
        let count = Count()
        let channel = channel(CallCredentials(clock: clock) { AccessToken("t\(count.add())") })
        script.expect().reply("fine")
        script.expect().fail(.unauthenticated)
        script.otherwise.reply("fine")
        try await channel.ask()
        clock.advance(by: .seconds(2))
        await #expect(throws: RPCError.self) { try await channel.ask() }
        try await channel.ask()
        #expect(sent == ["Bearer t1", "Bearer t1", "Bearer t2"])
    }

    @Test func `without a token nothing is sent, and the error says why`() async throws {
        struct NoAccount: Error, CustomStringConvertible { let description = "no account" }
        let failing = channel(CallCredentials(clock: clock) { throw NoAccount() })
        let error = await #expect(throws: RPCError.self) { try await failing.ask() }
        #expect(error?.status == Status(.unauthenticated, "no access token: no account"))
        let away = channel(CallCredentials(clock: clock) { throw RPCError(.unavailable, "away") })
        #expect(await #expect(throws: RPCError.self) { try await away.ask() }?.code == .unavailable)
        #expect(script.calls.isEmpty)
    }

    @Test func `a call waits for its token no longer than its deadline, nor when it is cancelled`() async throws {
        let gate = Gate()
        let clock = clock
        let credentials = CallCredentials(clock: clock) {
            await gate.wait()
            return AccessToken("t")
        }
        let channel = channel(credentials)
        let call = Task { try await channel.ask(CallOptions(timeout: .seconds(3))) }
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(3))
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.status == Status(.deadlineExceeded, "deadline exceeded while waiting for an access token"))
        let cancelled = Task { try await channel.ask(CallOptions(timeout: .seconds(3))) }
        await clock.waitForSleepers(1)
        cancelled.cancel()
        #expect(await #expect(throws: RPCError.self) { try await cancelled.value }?.code == .cancelled)
        gate.open()
    }

    @Test func `over real connections a token that is refused is asked for anew, and the call made again`() async throws
    {
        let (asked, served, clock) = (Count(), Count(), ManualClock())
        let credentials = CallCredentials(clock: clock) { AccessToken(asked.add() == 1 ? "stolen" : "secret") }
        let again = Retry(.exponential(initial: .zero), codes: [.unauthenticated])
        let known = BearerAuthenticator(tokens: ["secret": Principal(name: "ada")])
        let handler: Served.Handler = { _ in
            served.add()
            return Principal.current?.name ?? "nobody"
        }
        try await Served.run(
            [handler], client: [again, credentials, Served.endpoints(1), RandomBalancer()],
            server: [Authentication([known])]
        ) { channel in
            // Got a moment ago, it is kept: the next one would hardly be better.
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .unauthenticated && asked.value == 1)
            clock.advance(by: .seconds(2))
            for _ in 0..<3 {
                let answer = try await channel.ask()
                #expect(answer == "ada")
            }
        }
        #expect(asked.value == 2 && served.value == 3)
    }
}
