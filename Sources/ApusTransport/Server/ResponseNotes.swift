// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// What a handler has said of its response beside the messages: metadata, trailers, compression. Safe from any thread.
///
/// Most handlers say nothing, and then no lock is taken.
struct ResponseNotes: ~Copyable, Sendable {
    /// What goes out with the response's head.
    struct Head: Sendable {
        var metadata = Metadata()
        /// Whether the head is to leave before there is a message.
        var isWanted = false
        /// The compressor's index; nil when messages go as they are.
        var compressor: Int?
    }

    // Not private, for the compiler's sake (6.3): a file that stores these notes could not link to the type.
    struct State {
        var head = Head()
        var trailers = Metadata()
        var encoding = ResponseEncoding()
    }

    private static var said: UInt8 { 1 }
    private static var headLeft: UInt8 { 2 }
    private static var compresses: UInt8 { 4 }

    private let state = Mutex(State())
    // A bit is set before what it tells of is written, under the lock: who finds none needs no lock.
    private let flags = Atomic<UInt8>(0)

    func setInitialMetadata(_ metadata: Metadata) { change { $0.head.metadata = metadata } }

    func setTrailers(_ metadata: Metadata) { change { $0.trailers = metadata } }

    func wantHead() { change { $0.head.isWanted = true } }

    /// Takes a choice of compressor, unless it is too late, and tells whether it did.
    func choose(_ compressor: Int?, minimum: Int) -> Bool {
        state.withLock { state in
            let before = flags.bitwiseOr(Self.said, ordering: .acquiringAndReleasing).oldValue
            guard before & Self.headLeft == 0, state.encoding.choose(compressor, minimum: minimum) else { return false }
            if compressor == nil {
                flags.bitwiseAnd(~Self.compresses, ordering: .releasing)
            } else {
                flags.bitwiseOr(Self.compresses, ordering: .releasing)
            }
            return true
        }
    }

    /// What compresses the messages, from now on for good; nil when nothing does.
    var compression: ResponseEncoding? {
        guard flags.load(ordering: .acquiring) & Self.compresses != 0 else { return nil }
        return state.withLock { $0.encoding.fixed() }
    }

    /// What goes out with the head, which leaves now; nil when nothing was said.
    func headLeaves() -> Head? {
        let before = flags.bitwiseOr(Self.headLeft, ordering: .acquiringAndReleasing).oldValue
        guard before & Self.said != 0 else { return nil }
        return state.withLock { state in
            var head = state.head
            head.compressor = state.encoding.fixed().compressor
            return head
        }
    }

    var trailers: Metadata {
        guard flags.load(ordering: .acquiring) & Self.said != 0 else { return Metadata() }
        return state.withLock { $0.trailers }
    }

    /// Forgets everything: the response ends with an error in its place.
    func clear() { change { $0 = State() } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            flags.bitwiseOr(Self.said, ordering: .releasing)
            body(&state)
        }
    }
}
