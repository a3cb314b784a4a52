// SPDX-License-Identifier: Apache-2.0

/// What a server keeps of a call while its handler runs: one reference for the task and all of its children.
package protocol CurrentCall: AnyObject, Sendable {
    /// The call, once its handler was started; its request, if that is one message, is the handler's and empty here.
    var call: ServerCall? { get }
    /// When the client gives up.
    var deadline: CallDeadline { get }
}

extension ServerCall {
    /// What ``current`` is read from. A reference: a task copies what is bound, and so do its children.
    @TaskLocal package static var binding: (any CurrentCall)?

    /// The call that the current task handles, if any: calls made meanwhile inherit its deadline.
    ///
    /// For its method, deadline, peer and metadata: the message of a unary call is the handler's, and empty here.
    public static var current: ServerCall? { binding?.call }

    /// The deadline of ``current``; none without one.
    package static var inheritedDeadline: CallDeadline { binding?.deadline ?? .none }

    /// Runs `operation` as a part of handling `call`, as a server does it: for tests of code that looks at ``current``.
    public static func withCurrent<R>(
        _ call: ServerCall?, operation: () async throws -> R
    ) async rethrows -> R {
        try await $binding.withValue(call.map(BoundCall.init), operation: operation)
    }
}

/// A call that no server keeps.
private final class BoundCall: CurrentCall {
    let call: ServerCall?
    let deadline: CallDeadline

    init(_ call: ServerCall) {
        self.call = call
        deadline = call.deadline
    }
}
