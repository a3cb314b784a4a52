// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@Suite struct TransparentRetryTests {
    private let script = ScriptedTransport()
    private let clock = ManualClock()

    private func channel() -> Channel {
        Channel("users", interceptors: [], transport: script, observer: nil, clock: clock)
    }

    @Test func `a call that never left is made again`() async throws {
        for _ in 0..<3 { script.expect().fail(.unavailable, progress: .notSent) }
        script.expect().reply("pong")
        #expect(try await channel().ask() == "pong")
        #expect(script.calls.count == 4)
    }

    @Test func `a call that was refused is made again once`() async throws {
        for _ in 0..<2 { script.expect().fail(.unavailable, progress: .refused) }
        await #expect(throws: RPCError.self) { try await channel().ask() }
        #expect(script.calls.count == 2)
    }

    @Test(arguments: [RPCError.Progress.notSent, .refused])
    func `a cancelled call ends with CANCELLED, however the last try failed`(_ progress: RPCError.Progress) async throws
    {
        script.expect().run { _ in
            withUnsafeCurrentTask { $0?.cancel() }
            throw RPCError(.unavailable, "the connection ended before the call left", progress: progress)
        }
        let channel = channel()
        let call = Task { try await channel.ask() }
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        #expect(script.calls.count == 1)
    }
}
