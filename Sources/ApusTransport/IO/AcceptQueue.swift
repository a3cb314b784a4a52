// SPDX-License-Identifier: Apache-2.0

import ApusCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Takes connections off a listening socket, a bounded number at a time, and knows what to do when the process has no
/// descriptors left.
///
/// The system goes on to report a connection that cannot be accepted. So one descriptor is held in reserve: it is given
/// up to accept and close what waits, whose clients then go elsewhere, and is taken again. When another thread was
/// quicker and it cannot be taken again, the listener has to pause.
struct AcceptQueue {
    /// The system, as far as a listener needs it; below 0 is `-errno`.
    struct System {
        var accept: () -> (result: Int32, peer: SocketAddress?)
        var openReserve: () -> Int32 = SystemCalls.openReserve
        var close: (Int32) -> Void = SystemCalls.close
    }

    /// What the listener is to do next.
    enum Verdict: Equatable {
        /// Wait until the socket is readable, which it may be already.
        case wait
        /// Do not look at the socket for this long: there is nothing to accept with.
        case pause(Duration)
    }

    /// What people should know.
    enum Notice: Equatable {
        case outOfDescriptors
        case recovered(refused: Int)
    }

    private let system: System
    private var reserve: Int32 = -1
    // Connections that were closed since the descriptors ran out; nil while there are some.
    private var refused: Int?

    /// Other sockets of the loop get their turn after so many connections: to begin one costs as much as ten calls.
    static let batch = 8
    static let pause = Duration.milliseconds(100)

    init(_ system: System) {
        self.system = system
        takeReserve()
    }

    /// Accepts what waits, up to the batch.
    mutating func drain(
        _ handOver: (_ descriptor: Int32, _ peer: SocketAddress?) -> Void, _ tell: (Notice) -> Void
    ) -> Verdict {
        takeReserve()
        for _ in 0..<Self.batch {
            let (result, peer) = system.accept()
            if result >= 0 {
                recovered(tell)
                handOver(result, peer)
                continue
            }
            switch Failure(-result) {
            case .nothingWaits: return .wait
            case .connectionLost: continue
            case .noMemory: return .pause(Self.pause)
            case .noDescriptors:
                exhausted(tell)
                if let verdict = refuse() { return verdict }
            }
        }
        return .wait
    }

    /// Gives the reserve back.
    mutating func close() {
        if reserve >= 0 { system.close(reserve) }
        reserve = -1
    }

    private mutating func takeReserve() {
        if reserve < 0 { reserve = system.openReserve() }
    }

    private mutating func recovered(_ tell: (Notice) -> Void) {
        guard let count = refused else { return }
        refused = nil
        tell(.recovered(refused: count))
    }

    private mutating func exhausted(_ tell: (Notice) -> Void) {
        guard refused == nil else { return }
        refused = 0
        tell(.outOfDescriptors)
    }

    // Closes one connection with the reserve's help; nil when there may be more.
    private mutating func refuse() -> Verdict? {
        guard reserve >= 0 else { return .pause(Self.pause) }
        close()
        let (result, _) = system.accept()
        if result >= 0 {
            system.close(result)
            refused? += 1
        }
        takeReserve()
        if reserve < 0 { return .pause(Self.pause) }
        return -result == EAGAIN || -result == EWOULDBLOCK ? .wait : nil
    }

    /// What a failed accept means. Source: accept(2).
    private enum Failure {
        case nothingWaits, connectionLost, noDescriptors, noMemory

        init(_ code: Int32) {
            switch code {
            case EAGAIN, EWOULDBLOCK: self = .nothingWaits
            case EMFILE, ENFILE: self = .noDescriptors
            // Errors of the connection that was about to be accepted: the next one may be well.
            case EINTR, ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP,
                ENETUNREACH, ETIMEDOUT, ECONNRESET:
                self = .connectionLost
            // ENOBUFS and ENOMEM; and what no listener should see must not become a busy loop.
            default: self = .noMemory
            }
        }
    }
}
