// SPDX-License-Identifier: Apache-2.0

/// Where the admin page listens, and for whom.
public struct AdminOptions: Sendable {
    /// An IP address; `127.0.0.1` unless told. Another one than a loopback address needs a ``token``.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    public var port = 9900
    /// What requests send as `Authorization: Bearer`, 16 characters at least; nil, as it is unless told, asks for
    /// none. The page's reader is asked for it once in each tab. `/healthz` and `/readyz` need none.
    public var token: String?
    /// Names besides `localhost` and addresses under which the page may be asked for: a page of any other name that leads
    /// here is refused, since somebody may have made it lead here (DNS rebinding).
    public var hosts: Set<String> = []
    /// Connections at once; others are closed.
    public var maximumConnections = 64
    /// Readers of `/events` at once; others are told to come back.
    public var maximumListeners = 8
    /// The time for a request's head, and for the peer to take an answer or an event; who is slower is dropped.
    public var patience = Duration.seconds(5)
    /// The time between two events.
    public var interval = Duration.seconds(1)

    /// The usual.
    public init() {}

    /// Whether only this machine reaches the address.
    var isLoopback: Bool { host == "::1" || host == "localhost" || Self.isLoopback(host) }

    // 127.0.0.0/8, and nothing that only looks like it: 127.example.org.
    private static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && !parts.contains(nil) && parts[0] == 127
    }

    /// Why these cannot be; nil when they can.
    var problem: String? {
        guard (0...65535).contains(port) else { return "an admin page's port is 0 to 65535, not \(port)" }
        guard interval >= .milliseconds(1), interval <= .seconds(5) else {
            return "an admin page tells news each millisecond to each 5 seconds, not each \(interval)"
        }
        guard patience > .zero else { return "an admin page's patience is more than no time" }
        guard let token else {
            return isLoopback ? nil : "an admin page at \(host) needs a token: others than this machine reach it"
        }
        let isText = token.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard token.utf8.count >= 16, isText else {
            return "an admin page's token has 16 characters at least, of ASCII and without spaces"
        }
        return nil
    }
}
