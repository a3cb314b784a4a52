// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The end of a call that is remembered: its answer, or the status that it failed with.
public struct RememberedAnswer: Sendable {
    /// The message; nil when the call failed.
    public var message: MessageBytes?
    /// The initial metadata.
    public var metadata: Metadata
    /// The trailing metadata.
    public var trailers: Metadata
    /// How the call ended.
    public var status: Status
    /// A digest of the request that was answered: a key that comes with another request is refused.
    public var requestDigest: UInt64

    /// An answer.
    public init(
        message: MessageBytes?, metadata: Metadata, trailers: Metadata, status: Status, requestDigest: UInt64
    ) {
        self.message = message
        self.metadata = metadata
        self.trailers = trailers
        self.status = status
        self.requestDigest = requestDigest
    }
}

/// Where a server's ``Idempotency`` keeps the answers of calls by their keys: in memory, or in something that several
/// servers share.
public protocol IdempotencyStore: Sendable {
    /// A call with this key has come. While another one with it is at work, waits for that one's end.
    ///
    /// - Returns: the remembered answer; nil when there is none, and this call is to do the work: then one of the other
    ///   two methods follows.
    /// - Throws: RESOURCE_EXHAUSTED when no more can be remembered; CANCELLED; the store's own errors.
    func claim(_ key: String) async throws -> RememberedAnswer?

    /// The call that claimed the key has ended so.
    func remember(_ answer: RememberedAnswer, for key: String) async throws

    /// The call that claimed the key has ended without an effect, or nobody knows how: the next one works again.
    func forget(_ key: String) async
}
