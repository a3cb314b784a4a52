// SPDX-License-Identifier: Apache-2.0

public import Apus

/// A service over plain bytes that answers with a price, now and then late, and now and then not at all.
public struct Quotes: Service {
    /// Its methods.
    public enum Methods {
        /// The price of what the request names.
        public static let price = Method<BytesCodec, BytesCodec>(
            service: "demo.Quotes", name: "Price", kind: .unary, idempotency: .noSideEffects)
    }

    private let clock: any MonotonicClock
    private let random: any RandomSource

    /// - Parameter random: what decides which answers are late.
    public init(random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()) {
        self.random = random
        self.clock = clock
    }

    /// The method with its handler.
    public var routes: [Route] {
        [
            .unary(Methods.price) { request, _ in
                guard !request.isEmpty else { throw RPCError(.invalidArgument, "the price of <b>what</b>?") }
                let roll = random.index(below: 1000)
                if roll < 8 { throw RPCError(.unavailable, "the shop is being swept") }
                let milliseconds = roll < 20 ? 600 : roll % 40
                try await clock.sleep(until: clock.now.advanced(by: .milliseconds(milliseconds)))
                return MessageBytes("\(request.count)".utf8)
            }
        ]
    }
}
