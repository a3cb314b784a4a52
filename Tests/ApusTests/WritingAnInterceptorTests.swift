// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import Synchronization
import Testing

// The code of the article "Write your own interceptor".

struct QuotaCourse {
    let limit: Int
    let period: Duration
    private var start: MonotonicInstant?
    private var used = 0

    init(limit: Int, period: Duration) {
        self.limit = limit
        self.period = period
    }

    /// Takes one call of the quota; nil when that works, else the time until the next may pass.
    mutating func take(at now: MonotonicInstant) -> Duration? {
        if start.map({ $0.duration(to: now) >= period }) ?? true { (start, used) = (now, 0) }
        guard used < limit else { return now.duration(to: (start ?? now).advanced(by: period)) }
        used += 1
        return nil
    }
}

final class Quota: ClientInterceptor {
    private let course: Mutex<QuotaCourse>
    private let clock: any MonotonicClock

    init(_ limit: Int, per period: Duration, clock: any MonotonicClock = SystemClock()) {
        course = Mutex(QuotaCourse(limit: limit, period: period))
        self.clock = clock
    }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        if let wait = course.withLock({ $0.take(at: clock.now) }) {
            throw RPCError(
                .resourceExhausted, "the quota is used up: the next call may pass in \(wait)", progress: .notConnected)
        }
        return try await next(call)
    }
}

final class InFlight: ClientInterceptor {
    private let calls = Atomic<Int>(0)
    var count: Int { calls.load(ordering: .relaxed) }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        calls.wrappingAdd(1, ordering: .relaxed)
        do {
            let response = try await next(call)
            response.onEnd { _ in self.calls.wrappingSubtract(1, ordering: .relaxed) }
            return response
        } catch {
            calls.wrappingSubtract(1, ordering: .relaxed)
            throw error
        }
    }
}

struct RefuseStrangers: ServerInterceptor {
    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        guard call.metadata["x-team"] != nil else { throw RPCError(.permissionDenied, "which team is calling?") }
        return try await next(call)
    }
}

struct Tag: ClientInterceptor, DescribedPolicy {
    let key: String

    var policyValues: [PolicyValue] { [PolicyValue("key", key)] }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.metadata.add(key, "7")
        return try await next(call)
    }
}

struct WritingAnInterceptorTests {
    private struct Greeter: Service {
        var routes: [Route] {
            [
                Route(MethodDescriptor(service: "g.Greeter", name: "Greet", kind: .unary)) { _ in
                    ServerResponse(message: MessageBytes("hello".utf8))
                }
            ]
        }
    }

    @Test func `the value decides by the moments that it is told`() {
        var course = QuotaCourse(limit: 2, period: .seconds(60))
        let start = MonotonicInstant(nanoseconds: 0)
        #expect(course.take(at: start) == nil)
        #expect(course.take(at: start) == nil)
        #expect(course.take(at: start.advanced(by: .seconds(15))) == .seconds(45))
        #expect(course.take(at: start.advanced(by: .seconds(60))) == nil)
    }

    @Test func `the interceptors obey over a real connection`() async throws {
        let network = InMemoryNetwork()
        let server = try Server([Greeter()], interceptors: [RefuseStrangers()])
        let running = try network.start(server, as: "greeter")
        let inFlight = InFlight()
        let channel = Channel(
            "greeter",
            interceptors: [Quota(3, per: .seconds(3600)), inFlight, PinnedEndpoint(Endpoint(.memory("greeter")))],
            transport: network.transport())
        let method = Method<RawCodec, RawCodec>(service: "g.Greeter", name: "Greet", kind: .unary)
        let options = CallOptions(metadata: ["x-team": "a"])
        for _ in 0..<2 { #expect(try await channel.unary(method, [], options: options).message == Array("hello".utf8)) }
        let stranger = await #expect(throws: RPCError.self) { try await channel.unary(method, []) }
        #expect(stranger?.code == .permissionDenied)
        let late = await #expect(throws: RPCError.self) { try await channel.unary(method, [], options: options) }
        #expect(late?.code == .resourceExhausted)
        #expect(inFlight.count == 0)
        channel.close()
        await running.stop(grace: .seconds(10))
    }

    @Test func `a policy tells its values`() {
        #expect(Tag(key: "x-tag").policyValues == [PolicyValue("key", "x-tag")])
    }

    private enum RawCodec: MessageCodec {
        static func encode(_ message: [UInt8]) throws(RPCError) -> MessageBytes { MessageBytes(message) }
        static func decode(_ bytes: MessageBytes) throws(RPCError) -> [UInt8] { bytes.bytes }
    }

    @Test func `the article holds this code, word for word`() throws {
        let here = URL(filePath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let article = try String(
            contentsOf: root.appending(path: "Sources/Apus/Documentation.docc/WritingAnInterceptor.md"),
            encoding: .utf8)
        let code = Self.unindented(try String(contentsOf: here, encoding: .utf8))
        let blocks = article.components(separatedBy: "```swift\n").dropFirst().map {
            Self.unindented($0.components(separatedBy: "```")[0])
        }
        #expect(blocks.count == 6)
        for block in blocks { #expect(code.contains(block), "\(block)") }
    }

    private static func unindented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.drop { $0 == " " } }.joined(separator: "\n")
    }
}
