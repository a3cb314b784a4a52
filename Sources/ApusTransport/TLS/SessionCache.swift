// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Synchronization

/// One `SSL_SESSION`. Sendable: never changed once it is here, and OpenSSL counts references atomically.
final class TLSSession: @unchecked Sendable {
    let handle: OpaquePointer

    /// Takes over the reference that the caller has.
    init(adopting handle: OpaquePointer) { self.handle = handle }

    deinit { SSL_SESSION_free(handle) }
}

/// Sessions that a client may resume, by server. Each is used once, as RFC 8446, appendix C.4, asks.
final class SessionCache: Sendable {
    private static let sessionsPerServer = 8
    private static let servers = 1024

    private let sessions = Mutex<[String: [TLSSession]]>([:])

    func put(_ session: TLSSession, for server: String) {
        sessions.withLock { sessions in
            // Full of servers that never came back: any of them makes room.
            if sessions.count >= Self.servers, sessions[server] == nil, let any = sessions.keys.first {
                sessions[any] = nil
            }
            var known = sessions[server] ?? []
            if known.count >= Self.sessionsPerServer { known.removeFirst() }
            known.append(session)
            sessions[server] = known
        }
    }

    /// The newest session, which is the caller's from now on.
    func take(for server: String) -> TLSSession? {
        sessions.withLock { sessions in
            guard let session = sessions[server]?.popLast() else { return nil }
            if sessions[server]?.isEmpty == true { sessions[server] = nil }
            return session
        }
    }
}
