// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Gives each call a key of its own, the same for all of its tries, by which a server with ``Idempotency`` knows a
/// repeated call. In front of ``Retry`` or ``Hedging``.
public struct IdempotencyKey: ClientInterceptor {
    /// The metadata key, as in the IETF's draft for the HTTP header of this name.
    public static let key = "idempotency-key"

    private let random: any RandomSource

    /// Keys of 128 random bits in 32 hexadecimal digits. A key that the caller has set stays.
    public init(random: any RandomSource = SplitMixRandom.shared) { self.random = random }

    /// Adds the key, unless the method has no side effects.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard call.method.idempotency != .noSideEffects, call.metadata[Self.key] == nil else {
            return try await next(call)
        }
        var call = call
        call.metadata.add(Self.key, Self.digits(random.next()) + Self.digits(random.next()))
        return try await next(call)
    }

    private static func digits(_ bits: UInt64) -> String {
        let text = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
