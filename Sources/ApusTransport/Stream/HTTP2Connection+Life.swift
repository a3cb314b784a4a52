// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// How a connection keeps alive and ends in time: the schedules decide, one timer obeys.
extension HTTP2Connection {
    /// What a connection is told about its life.
    struct Plan {
        var keepalive: KeepaliveSchedule?
        var limits = ConnectionLife.Limits()
    }

    // Told apart from a server's drain by its payload.
    private static var keepalivePing: UInt64 { 0x6b65_6570_0000_0000 }

    /// Begins to follow the plan: the handshake is over.
    func startLife() {
        lastCall = loop.now
        life = ConnectionLife(plan.limits, from: loop.now, unit: loop.random.unit())
        checkLife()
    }

    /// Does what is due and looks again when the next thing is.
    func checkLife() {
        guard closeReason.isEmpty, session != nil,
            let action = life?.next(at: loop.now, hasCalls: hasCalls, lastCall: lastCall)
        else { return }
        var next: MonotonicInstant?
        switch action {
        case .rest: break
        case .wait(let moment): next = moment
        case .drain(let reason):
            drain(reason)
            next = loop.now
        case .close(let reason): return close(reason)
        }
        guard let moment = earliest(next, checkKeepalive(hasCalls)) else { return }
        if closeReason.isEmpty { loop.schedule(lifeTimer, at: moment) }
    }

    private func checkKeepalive(_ hasCalls: Bool) -> MonotonicInstant? {
        switch plan.keepalive?.next(at: loop.now, lastInput: lastInput, hasCalls: hasCalls) {
        case nil: return nil
        case .wait(let moment): return moment
        case .ping(let moment):
            session?.submitPing(Self.keepalivePing)
            keepalivesSent += 1
            touch()
            return moment
        case .giveUp:
            close("the peer did not answer a keepalive PING in time")
            return nil
        }
    }

    private func earliest(_ one: MonotonicInstant?, _ other: MonotonicInstant?) -> MonotonicInstant? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}
