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
    /// Bytes of one call that a server may send ahead of the reader.
    public var streamWindow = 1 << 20
    /// Bytes of all calls of a connection that a server may send ahead.
    public var connectionWindow = 4 << 20
    /// What responses may be compressed with, and requests of calls that ask for it.
    public var compressors = Compressors.standard
    /// The time that a server has for its SETTINGS once the connection is there.
    public var handshakeTimeout = Duration.seconds(10)
    /// The wait after connections that failed.
    public var backoff = ConnectionBackoff()
    /// The loops that connections live on; nil takes the process' own.
    public var eventLoops: EventLoops?

    /// The defaults.
    public init() {}

    var settings: HTTP2Settings {
        var settings = HTTP2Settings(role: .client)
        settings.maximumHeaderListSize = UInt32(clamping: maximumMetadataBytes)
        // RFC 9113, section 6.9.2: windows are 31 bits wide.
        settings.streamWindow = UInt32(clamping: min(streamWindow, Int(Int32.max)))
        settings.connectionWindow = UInt32(clamping: min(connectionWindow, Int(Int32.max)))
        return settings
    }
}
