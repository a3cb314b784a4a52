// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusHTTP2
import ApusWire

/// The limits of a server's connections. The defaults are safe on an open port.
public struct ServerOptions: Sendable {
    /// The largest request message in bytes.
    public var maximumRequestBytes = 4 << 20
    /// Calls that one connection may have open at once.
    public var maximumConcurrentStreams = 100
    /// The largest header list of a request in bytes, as RFC 9113 counts it: names, values and 32 for each field. A
    /// request above that ends with RESOURCE_EXHAUSTED, and so does one with more than 128 fields; a connection that
    /// sends four times as much, or more than 1,000 fields, ends.
    public var maximumMetadataBytes = 16 << 10
    /// Bytes of one call that a client may send ahead of the handler; 64 KiB at least.
    public var streamWindow = 1 << 20
    /// Bytes of all calls of a connection that a client may send ahead.
    public var connectionWindow = 4 << 20
    /// What requests may be compressed with, and responses when a handler or ``compression`` asks for it.
    public var compressors = Compressors.standard
    /// How responses are compressed for clients that accept it, unless the handler says otherwise; nil: not at all.
    public var compression: Compression?
    /// The smallest response message that ``compression`` is for, in bytes.
    public var minimumCompressedBytes = 1 << 10
    /// The time that a new connection has for its PROXY header, if it must have one, then for its first bytes of
    /// HTTP/2, and at last for the acknowledgement of our SETTINGS. (TLS has a time of its own: `ServerTLS`.)
    public var handshakeTimeout = Duration.seconds(10)
    /// The time that the metadata of a request may take from its first byte to its last.
    public var headerTimeout = Duration.seconds(10)
    /// The time in which a frame that has begun must go on, by a byte at least.
    public var frameTimeout = Duration.seconds(20)
    /// The time that a call waits for a slot while handlers of calls that are over still run; then it is refused.
    public var handlerPatience = Duration.seconds(1)
    /// Connections from all clients; nil for as many as there are descriptors.
    public var maximumConnections: Int?
    /// Connections from one IPv4 address, or one network of 64 bits of IPv6; nil for no limit. Clients behind a proxy
    /// (see ``ListenTarget/expectsProxyHeader``) or a NAT share an address.
    public var maximumConnectionsPerPeer: Int?
    /// The silence after which a client is asked whether it is still there (gRFC A9).
    public var keepaliveInterval = Duration.seconds(2 * 3600)
    /// The time that a silent client has for its answer.
    public var keepaliveTimeout = Duration.seconds(20)
    /// The least time between two PINGs of a client that gets no answers in between; the third that comes sooner
    /// ends the connection (gRFC A8).
    public var minimumPingInterval = Duration.seconds(300)
    /// Whether that time also holds for clients without open calls; else it is two hours for them.
    public var permitsPingsWithoutCalls = false
    /// The time without calls after which a connection is ended gracefully; nil for no limit (gRFC A9).
    public var maximumConnectionIdle: Duration?
    /// The age at which a connection is ended gracefully, give or take a tenth; nil for no limit (gRFC A9).
    public var maximumConnectionAge: Duration?
    /// The time that calls in flight get then; nil for as much as they take (gRFC A9).
    public var maximumConnectionAgeGrace: Duration?
    /// The time that sent bytes may stay unacknowledged before TCP gives up (Linux: TCP_USER_TIMEOUT). Nil takes the
    /// system's, about 15 minutes.
    public var acknowledgementTimeout: Duration? = .seconds(20)
    /// The bytes that may be held for slow clients and handlers, over all servers that share the budget.
    public var bufferBudget = BufferBudget.shared
    /// TLS on every connection; nil serves cleartext.
    public var tls: ServerTLS?
    /// The loops that serve; nil takes the process' own.
    public var eventLoops: EventLoops?

    /// The defaults.
    public init() {}

    var plan: HTTP2Connection.Plan {
        let keepalive = KeepaliveSchedule(
            interval: keepaliveInterval, timeout: keepaliveTimeout, withoutCalls: true)
        let limits = ConnectionLife.Limits(
            idle: maximumConnectionIdle, age: maximumConnectionAge, ageGrace: maximumConnectionAgeGrace)
        return HTTP2Connection.Plan(keepalive: keepalive, limits: limits)
    }

    var settings: HTTP2Settings {
        var settings = HTTP2Settings(role: .server)
        settings.maximumConcurrentStreams = UInt32(clamping: maximumConcurrentStreams)
        settings.maximumHeaderListSize = UInt32(clamping: maximumMetadataBytes)
        // RFC 9113, section 6.9.2: windows are 31 bits wide.
        // Smaller ones could be used up while a reader that has caught up still gathers its credit.
        settings.streamWindow = UInt32(clamping: min(max(streamWindow, 64 << 10), Int(Int32.max)))
        settings.connectionWindow = UInt32(clamping: min(connectionWindow, Int(Int32.max)))
        settings.inputTimes.settings = handshakeTimeout.saturatedNanoseconds
        settings.inputTimes.headerBlock = headerTimeout.saturatedNanoseconds
        settings.inputTimes.frame = frameTimeout.saturatedNanoseconds
        return settings
    }
}
