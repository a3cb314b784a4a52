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
    /// The largest header list of a request in bytes, as RFC 9113 counts it.
    public var maximumMetadataBytes = 16 << 10
    /// Bytes of one call that a client may send ahead of the handler.
    public var streamWindow = 1 << 20
    /// Bytes of all calls of a connection that a client may send ahead.
    public var connectionWindow = 4 << 20
    /// What requests may be compressed with, and responses when a handler or ``compression`` asks for it.
    public var compressors = Compressors.standard
    /// How responses are compressed for clients that accept it, unless the handler says otherwise; nil: not at all.
    public var compression: Compression?
    /// The smallest response message that ``compression`` is for, in bytes.
    public var minimumCompressedBytes = 1 << 10
    /// The time that a new connection has for its first bytes of HTTP/2.
    public var handshakeTimeout = Duration.seconds(10)
    /// The loops that serve; nil takes the process' own.
    public var eventLoops: EventLoops?

    /// The defaults.
    public init() {}

    var settings: HTTP2Settings {
        var settings = HTTP2Settings(role: .server)
        settings.maximumConcurrentStreams = UInt32(clamping: maximumConcurrentStreams)
        settings.maximumHeaderListSize = UInt32(clamping: maximumMetadataBytes)
        // RFC 9113, section 6.9.2: windows are 31 bits wide.
        settings.streamWindow = UInt32(clamping: min(streamWindow, Int(Int32.max)))
        settings.connectionWindow = UInt32(clamping: min(connectionWindow, Int(Int32.max)))
        return settings
    }
}
