// SPDX-License-Identifier: Apache-2.0

/// The messages of a response that is still arriving.
public protocol ResponseSource: MessageSource {
    /// The trailing metadata: empty until ``MessageSource/next()`` has returned nil, or thrown the call's error.
    var trailers: Metadata { get }

    /// The trailing metadata as soon as the call has ended, also while its last messages are still to be read: for
    /// policies that hang on ``onEnd(_:)``. Empty before.
    var finalTrailers: Metadata { get }

    /// Runs `action` exactly once when the call ends: with nil for success, else with its error. At once if it has.
    ///
    /// Every path ends the call: success, an error status, cancellation, and a stream that nobody reads on.
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void)
}

extension ResponseSource {
    /// The ``trailers``.
    public var finalTrailers: Metadata { trailers }
}

/// The answer to a call as interceptors see it: `next` returns it at the response's head, or, where the method
/// answers with one message, when all of it is there. A call that failed throws instead.
public struct ClientResponse: Sendable {
    /// The messages of an answer.
    public enum Body: Sendable {
        /// One message, and the trailing metadata: the call is over and succeeded.
        case one(MessageBytes, trailers: Metadata)
        /// Messages that are still to come.
        case stream(any ResponseSource)
    }

    /// The initial metadata.
    public var metadata: Metadata
    /// The messages.
    public var body: Body

    /// An answer.
    public init(metadata: Metadata, body: Body) {
        self.metadata = metadata
        self.body = body
    }

    /// Runs `action` exactly once when the call ends, at once if it has: nil for success, else the error.
    public func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) {
        switch body {
        case .one: action(nil)
        case .stream(let source): source.onEnd(action)
        }
    }
}
