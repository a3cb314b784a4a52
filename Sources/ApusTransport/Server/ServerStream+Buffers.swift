// SPDX-License-Identifier: Apache-2.0

import ApusCore

// What a call holds of its server's buffer budget.

extension ServerStream {
    /// What it holds, if that is anything, and when the half that stands still for longest last went on.
    var held: BufferRelief.Candidate? {
        let accounts = [outbound.account, inbound?.account, gathering].compactMap { $0 }.filter { $0.charged > 0 }
        guard let oldest = accounts.map(\.lastProgress).min() else { return nil }
        let bytes = accounts.reduce(0) { $0 + $1.charged }
        return BufferRelief.Candidate(bytes: bytes, lastProgress: oldest) { [self] in
            loop.execute { self.giveUpBuffers() }
        }
    }

    /// Ends the call because all together hold too much.
    func giveUpBuffers() {
        if !isReset, !endSent {
            end(Status(.resourceExhausted, "the server's buffers are full, and this call's were the slowest to empty"))
        }
        inbound?.removeAll()
    }

    /// Lets go of a request, or a part of one, that waits for its handler.
    func forgetRequest() {
        request = nil
        gathered = 0
        gathering.hold(0)
    }
}
