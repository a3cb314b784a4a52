// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A place where a server listens, and how.
///
/// ```swift
/// try await server.serve(listeningOn: [
///     .address(.host("::", port: 50051)),               // IPv6 and IPv4
///     .address(.unix(path: "/run/users.sock")),
///     .inherited(name: "grpc"),                         // a socket that systemd made
/// ])
/// ```
public struct ListenTarget: Sendable {
    enum Source: Sendable, Hashable {
        case address(Endpoint.Address)
        case inherited(name: String?)
    }

    let source: Source
    /// Connections that may wait to be accepted; the system may have a lower limit of its own (Linux: `somaxconn`).
    public var backlog = 1024
    /// Whether a socket for IPv6 takes IPv6 alone. Else `[::]` takes both.
    public var takesIPv6Only = false
    /// Whether each event loop gets a listening socket of its own, among which the system distributes connections, and
    /// other processes of the same user may listen on the port as well (`SO_REUSEPORT`).
    public var sharesPort = false
    /// The permissions of a Unix domain socket's file, such as `0o660`; nil leaves them to the process' umask. Who may
    /// not write to the file cannot connect.
    public var permissions: UInt16?
    /// Whether each connection begins with a header of the PROXY protocol, version 1 or 2, in which a proxy tells whose
    /// connection it is. Only for listeners that nobody but such proxies can reach: the header is believed.
    public var expectsProxyHeader = false

    /// An address to bind: IPv4, IPv6, a host name (all its addresses are bound), the path of a Unix domain socket or,
    /// on Linux, an abstract name. Port 0 takes a free one.
    ///
    /// A Unix domain socket's file that nobody listens on is replaced; it is removed when the server stops.
    public static func address(_ address: Endpoint.Address) -> ListenTarget { ListenTarget(source: .address(address)) }

    /// Listening sockets that the process was started with, as systemd passes them: `LISTEN_FDS`, `LISTEN_PID` and
    /// `LISTEN_FDNAMES`. Each can be taken once. Source: sd_listen_fds(3).
    ///
    /// - Parameter name: which ones, by their names (`FileDescriptorName=` of the socket unit); nil takes all.
    public static func inherited(name: String? = nil) -> ListenTarget { ListenTarget(source: .inherited(name: name)) }
}
