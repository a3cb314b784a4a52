// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

struct ChannelTests {
    private let script = ScriptedTransport()
    private let observer = RecordingObserver()

    private struct Tag: ClientInterceptor {
        let name: String
        func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            var call = call
            call.metadata.add("path", name)
            return try await next(call)
        }
    }

    @Test func `interceptors see a call in the order of the list`() async throws {
        script.expect { #expect($0.metadata.values(of: "path") == ["a", "b", "c"]) }.reply()
        try await Channel("users", interceptors: ["a", "b", "c"].map(Tag.init), transport: script).ask()
        #expect(script.unmet == 0)
    }

    @Test func `a channel without a retry still repeats what no server has seen`() async throws {
        script.expect().fail(.unavailable, progress: .notSent)
        script.expect().fail(.unavailable, progress: .notSent)
        script.expect().fail(.unavailable, progress: .refused)
        script.expect().reply("done")
        #expect(try await Channel("users", interceptors: [], transport: script).ask() == "done")
    }

    @Test(arguments: [false, true], [RPCError.Progress.notSent, .refused])
    func `a streamed request is repeated only while none of it was read`(
        _ isRead: Bool, _ progress: RPCError.Progress
    ) async throws {
        let pipe = MessagePipe()
        try await pipe.write(MessageBytes([1]))
        script.expect().run { call in
            if isRead, case .stream(let source) = call.request { _ = try await source.next() }
            throw RPCError(.unavailable, "lost", progress: progress)
        }
        script.expect().reply("done")
        let channel = Channel("users", interceptors: [], transport: script)
        let answer = try? await channel.start(.clientStreaming, .stream(pipe))
        #expect((answer == nil) == isRead)
        #expect(script.calls.count == (isRead ? 1 : 2))
    }

    @Test func `a second refusal is final`() async {
        script.otherwise.fail(.unavailable, progress: .refused)
        let channel = Channel("users", interceptors: [], transport: script)
        await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(script.calls.count == 2)
    }

    @Test func `an observer hears the end of every call once`() async throws {
        let channel = Channel("users", interceptors: [], transport: script, observer: observer)
        script.expect().reply()
        script.expect().fail(.notFound)
        let responses = ScriptedResponses()
        script.expect().reply(responses)
        try await channel.ask()
        await #expect(throws: RPCError.self) { try await channel.ask() }
        _ = try await channel.start(.serverStreaming, .one(MessageBytes([])))
        #expect(observer.ends.count == 2)
        responses.cancel()
        #expect(observer.ends.map { $0?.code } == [nil, .notFound, .cancelled])
    }

    @Test func `a released channel closes its transport`() {
        do { _ = Channel("users", interceptors: [], transport: script) }
        #expect(script.isClosed)
    }

    @Test func `an error that is no RPCError arrives as one`() async {
        struct Odd: Error {}
        script.expect().run { _ in throw Odd() }
        let channel = Channel("users", interceptors: [], transport: script)
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .unknown)
    }
}
