// SPDX-License-Identifier: Apache-2.0

/// Serialized messages that arrive one after the other. For one consumer.
public protocol MessageSource: AnyObject, Sendable {
    /// The next message; nil when there are no more.
    ///
    /// - Throws: an `RPCError` when the stream broke; `CancellationError` when the task was cancelled.
    func next() async throws -> MessageBytes?

    /// Whether no message was taken yet: then a call whose request never left may be sent again with this one.
    var isUntouched: Bool { get }

    /// Tells the other side that nobody will read on. Safe to call more than once.
    func cancel()
}

extension MessageSource {
    /// Not known: such a stream is not sent again.
    public var isUntouched: Bool { false }
}

/// The request part of a call: one message, or a stream of them.
public enum MessageBody: Sendable {
    /// Exactly one message.
    case one(MessageBytes)
    /// Any number of messages, in their time.
    case stream(any MessageSource)
}
