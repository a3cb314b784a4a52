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
    /// The time for one connection: for the look-up of a name and for all of its addresses. gRPC's connection back-off
    /// document asks for 20 seconds at least.
    public var connectTimeout = Duration.seconds(20)
    /// The time that a server has for its SETTINGS once the connection is there, and for the acknowledgement of ours.
    public var handshakeTimeout = Duration.seconds(10)
    /// The wait after connections that failed.
    public var backoff = ConnectionBackoff()
    /// How a silent server is found to be gone; nil leaves that to TCP.
    public var keepalive: ClientKeepalive?
    /// The time without calls after which a connection is closed; the next call makes another. Nil keeps it.
    public var idleTimeout: Duration? = .seconds(1800)
    /// Connections that each event loop may have to one endpoint. While the server's limit on concurrent streams makes
    /// calls wait, another one is made, up to this number.
    public var maximumConnectionsPerEndpoint = 1
    /// The time without calls after which connections beyond the first one are closed.
    public var spareIdleTimeout = Duration.seconds(60)
    /// Calls of each event loop that may wait for a connection to one endpoint, or for a stream on one; those beyond it
    /// fail with UNAVAILABLE. ``EndpointHandle/callsWaiting`` and ``Observer/waiting(_:for:)`` tell of them.
    public var maximumWaitingCalls = 10_000
    /// What `user-agent` begins with, in front of `grpc-swift-apus/…`: printable ASCII, such as `shop/1.2`.
    public var userAgentPrefix = ""
    /// The highest stream identifier that is used of a connection: it is replaced in time before.
    package var lastUsableStream = Int32.max
    /// The time that sent bytes may stay unacknowledged before TCP gives up (Linux: TCP_USER_TIMEOUT, gRFC A18).
    /// Nil takes the system's, about 15 minutes.
    public var acknowledgementTimeout: Duration? = .seconds(20)
    /// Which connections go through an HTTP proxy.
    public var proxy = ProxyPolicy.environment
    /// TLS on every connection; nil speaks cleartext.
    public var tls: ClientTLS?
    /// The loops that connections live on; nil takes the process' own.
    public var eventLoops: EventLoops?

    /// The defaults.
    public init() {}

    /// The whole of `user-agent`; nil for the library's own.
    var userAgent: [UInt8]? {
        userAgentPrefix.isEmpty ? nil : Array("\(userAgentPrefix) \(RequestFields.userAgent)".utf8)
    }

    /// - Throws: INVALID_ARGUMENT for what no connection can use.
    func check() throws(RPCError) {
        guard userAgentPrefix.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw RPCError(
                .invalidArgument, "a user-agent prefix must be printable ASCII: \(userAgentPrefix.debugDescription)",
                progress: .notConnected)
        }
    }

    var settings: HTTP2Settings {
        var settings = HTTP2Settings(role: .client)
        settings.inputTimes.settings = handshakeTimeout.saturatedNanoseconds
        settings.maximumHeaderListSize = UInt32(clamping: maximumMetadataBytes)
        // RFC 9113, section 6.9.2: windows are 31 bits wide.
        // Smaller ones could be used up while a reader that has caught up still gathers its credit.
        settings.streamWindow = UInt32(clamping: min(max(streamWindow, 64 << 10), Int(Int32.max)))
        settings.connectionWindow = UInt32(clamping: min(connectionWindow, Int(Int32.max)))
        return settings
    }
}
