// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

struct MirrorTests {
    let script = ScriptedTransport()
    let shadowScript = ScriptedTransport()

    private func channel(_ mirror: Mirror) -> Channel {
        script.otherwise.reply("real")
        return Channel("users", interceptors: [mirror], transport: script)
    }

    private var shadow: Channel { Channel("shadow", interceptors: [], transport: shadowScript) }

    private func reach(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test func `copies go to the shadow, are marked, and change nothing for the caller`() async throws {
        shadowScript.otherwise.fail(.internal)
        let mirror = Mirror(to: shadow)
        #expect(try await channel(mirror).ask(CallOptions(metadata: ["tenant": "a"])) == "real")
        await reach { shadowScript.calls.count == 1 && mirror.running == 0 }
        #expect(shadowScript.calls[0].metadata["x-mirrored"] == "true")
        #expect(shadowScript.calls[0].metadata["tenant"] == "a")
        #expect(script.calls[0].metadata["x-mirrored"] == nil)
    }

    @Test func `copies above the limit are dropped`() async throws {
        let gate = Gate()
        shadowScript.otherwise.run { _ in
            await gate.wait()
            throw RPCError(.internal, "late")
        }
        let mirror = Mirror(to: shadow, maximumRunning: 2)
        let channel = channel(mirror)
        for _ in 0..<5 { try await channel.ask() }
        await reach { shadowScript.calls.count == 2 }
        #expect(mirror.running == 2)
        gate.open()
        await reach { mirror.running == 0 }
        #expect(shadowScript.calls.count == 2)
    }

    @Test func `the share of copies is the one asked for`() async throws {
        shadowScript.otherwise.reply("shadow")
        let mirror = Mirror(to: shadow, share: 0.1, maximumRunning: 10_000, random: SplitMixRandom(seed: 1))
        let channel = channel(mirror)
        for _ in 0..<10_000 { try await channel.ask() }
        await reach { mirror.running == 0 }
        #expect((900...1100).contains(shadowScript.calls.count))
    }

    @Test func `over real connections the shadow serves the same request`() async throws {
        let seen = Gate()
        let copies: Served.Handler = { call in
            guard case .one(let bytes) = call.request, bytes == MessageBytes("ask".utf8) else { return "" }
            seen.open()
            return "shadow"
        }
        try await Served.run([copies], client: [Served.endpoints(1), RandomBalancer()]) { shadow in
            let mirror = Mirror(to: shadow)
            try await Served.run([{ _ in "real" }], client: [mirror, Served.endpoints(1), RandomBalancer()]) {
                let answer = try await $0.ask()
                #expect(answer == "real")
            }
            await seen.wait()
            await reach { mirror.running == 0 }
        }
    }
}
