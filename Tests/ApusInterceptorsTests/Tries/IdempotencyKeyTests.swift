// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

struct IdempotencyKeyTests {
    @Test func `over ten thousand random calls those with effects have a key each, and no other is touched`()
        async throws
    {
        let script = ScriptedTransport()
        script.otherwise.reply()
        let channel = Channel(
            "users", interceptors: [IdempotencyKey(random: SplitMixRandom(seed: 1))], transport: script)
        let random = SplitMixRandom(seed: 2)
        var keys: Set<String> = []
        for step in 0..<10_000 {
            let hasEffects = random.index(below: 4) > 0
            let own = random.index(below: 4) == 0 ? "own \(step)" : nil
            var metadata: Metadata = ["x-step": "\(step)"]
            if let own { metadata.add("idempotency-key", own) }
            _ = try await channel.start(
                hasEffects ? .unary : .look, .one(MessageBytes([])), options: CallOptions(metadata: metadata))
            let sent = try #require(script.calls.last?.metadata.values(of: "idempotency-key"))
            #expect(script.calls.last?.metadata["x-step"] == "\(step)")
            guard own == nil, hasEffects else {
                #expect(sent == (own.map { [$0] } ?? []))
                continue
            }
            #expect(sent.count == 1 && sent[0].utf8.count == 32)
            #expect(sent[0].utf8.allSatisfy { Array("0123456789abcdef".utf8).contains($0) })
            #expect(keys.insert(sent[0]).inserted)
        }
        #expect(keys.count > 5000)
    }

    /// Always the same bits.
    private final class Fixed: RandomSource {
        private let bits: UInt64
        init(_ bits: UInt64) { self.bits = bits }
        func next() -> UInt64 { bits }
    }

    @Test(
        arguments: [
            (0, "00000000000000000000000000000000"), (.max, "ffffffffffffffffffffffffffffffff"),
            (0xabc, "0000000000000abc0000000000000abc"),
        ] as [(UInt64, String)])
    func `small numbers have all of their digits`(_ bits: UInt64, _ key: String) async throws {
        let script = ScriptedTransport()
        script.otherwise.reply()
        try await Channel("users", interceptors: [IdempotencyKey(random: Fixed(bits))], transport: script).ask()
        #expect(script.calls[0].metadata["idempotency-key"] == key)
    }
}
