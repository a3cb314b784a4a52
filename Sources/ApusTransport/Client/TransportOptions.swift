// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusHTTP2
import ApusWire

/// The limits of a channel's connections.
public struct TransportOptions: Sendable {
    /// The largest response message in bytes, unless a call says otherwise.
    public var maximumResponseBytes = 4 << 20
    /// The largest header list of a response in bytes, as RFC 9113 counts it.
    public var maximumMetadataBytes = 16 << 10
    /// Bytes of one call that a server may send ahead of the reader; 64 KiB at least.
    public var streamWindow = 1 << 20
    /// Bytes of all calls of a connection that a server may send ahead.
    public var connectionWindow = 4 << 20
    /// What responses may be compressed with, and requests of calls that ask for it.
    public var compressors = Compressors.standard
    /// The time that a server has for its SETTINGS once the connection is there.
    public var handshakeTimeout = Duration.seconds(10)
    /// The wait after connections that failed.
    public var backoff = ConnectionBackoff()
    /// How a silent server is found to be gone; nil leaves that to TCP.
    public var keepalive: ClientKeepalive?
    /// The time without calls after which a connection is closed; the next call makes another. Nil keeps it.
    public var idleTimeout: Duration? = .seconds(1800)
    /// The time that sent bytes may stay unacknowledged before TCP gives up (Linux: TCP_USER_TIMEOUT, gRFC A18).
    /// Nil takes the system's, about 15 minutes.
    public var acknowledgementTimeout: Duration? = .seconds(20)
    /// TLS on every connection; nil speaks cleartext.
    public var tls: ClientTLS?
    /// The loops that connections live on; nil takes the process' own.
    public var eventLoops: EventLoops?

    /// The defaults.
    public init() {}

    var settings: HTTP2Settings {
        var settings = HTTP2Settings(role: .client)
        settings.maximumHeaderListSize = UInt32(clamping: maximumMetadataBytes)
        // RFC 9113, section 6.9.2: windows are 31 bits wide.
        // Smaller ones could be used up while a reader that has caught up still gathers its credit.
        settings.streamWindow = UInt32(clamping: min(max(streamWindow, 64 << 10), Int(Int32.max)))
        settings.connectionWindow = UInt32(clamping: min(connectionWindow, Int(Int32.max)))
        return settings
    }
}
