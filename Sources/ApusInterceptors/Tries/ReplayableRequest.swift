// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A call's request as each of its tries gets it.
enum ReplayableRequest: Sendable {
    case one(MessageBytes)
    case stream(ReplayBuffer)

    init(_ body: MessageBody, limit: Int) {
        switch body {
        case .one(let bytes): self = .one(bytes)
        case .stream(let source): self = .stream(ReplayBuffer(source, limit: limit))
        }
    }

    /// The present try has failed: tells whether another one can have the whole request.
    func endTry() -> Bool {
        switch self {
        case .one: true
        case .stream(let buffer): buffer.endTry()
        }
    }

    /// The request from its first message on.
    func forNextTry() -> MessageBody {
        switch self {
        case .one(let bytes): .one(bytes)
        case .stream(let buffer): .stream(buffer.makeCursor())
        }
    }

    /// The last try has won.
    func commit() {
        if case .stream(let buffer) = self { buffer.commit() }
    }

    /// The call has failed for good.
    func abandon() {
        if case .stream(let buffer) = self { buffer.abandon() }
    }
}
