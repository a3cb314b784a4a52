// SPDX-License-Identifier: Apache-2.0

/// What a session tells its peer about itself. Source: RFC 9113, section 6.5.2.
package struct HTTP2Settings: Sendable {
    /// Which end of the connection the session is.
    package enum Role: Sendable {
        case client
        case server
    }

    package var role: Role
    /// Streams that the peer may have open at once (servers only).
    package var maximumConcurrentStreams: UInt32 = 100
    /// Bytes of a stream that the peer may send before it hears from us.
    package var streamWindow: UInt32 = 1 << 20
    /// Bytes of all streams that the peer may send before it hears from us.
    package var connectionWindow: UInt32 = 4 << 20
    /// The largest header list that we accept, as RFC 9113 counts it.
    package var maximumHeaderListSize: UInt32 = 16 * 1024

    /// The times that the peer has. Not sent.
    package var inputTimes = InputWatch.Times()

    package init(role: Role) { self.role = role }
}

/// An error of the HTTP/2 library: its C name is what one can search for.
package struct HTTP2Error: Error, CustomStringConvertible {
    package let code: Int32
    package let description: String
}

/// RFC 9113, section 7.
package enum HTTP2ErrorCode {
    package static let noError: UInt32 = 0x0
    package static let protocolError: UInt32 = 0x1
    package static let internalError: UInt32 = 0x2
    package static let settingsTimeout: UInt32 = 0x4
    package static let streamClosed: UInt32 = 0x5
    package static let refusedStream: UInt32 = 0x7
    package static let cancel: UInt32 = 0x8
    package static let enhanceYourCalm: UInt32 = 0xb
}
