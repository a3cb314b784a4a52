// SPDX-License-Identifier: Apache-2.0

/// What a peer may make us do for nothing: a bucket for each kind of frame that costs us more than it costs the
/// peer. A peer that uses the connection for calls never meets one, because answers that we send refill them.
///
/// Time is an argument, in nanoseconds; the answers are ``Violation``s, upon which the connection has to end.
package struct FrameBudget {
    /// Which guard a peer ran into.
    package struct Violation: Equatable, Sendable {
        /// An RFC 9113 error code, for GOAWAY.
        package let code: UInt32
        /// The guard's name and its limit, for GOAWAY and for people.
        package let text: String

        static func calm(_ text: String) -> Violation { Violation(code: HTTP2ErrorCode.enhanceYourCalm, text: text) }
    }

    private let role: HTTP2Settings.Role
    // CVE-2023-44487: requests that are taken back before they were answered.
    private var resets = TokenBucket(burst: 200, perSecond: 50)
    // CVE-2025-8671: frames for which the library resets a stream. No work refills it: real peers make no such frames.
    private var faults = TokenBucket(burst: 50, perSecond: 1)
    // CVE-2019-9512, 9515: SETTINGS, PING, their acknowledgements, PRIORITY and types that nobody knows.
    private var control = TokenBucket(burst: 100, perSecond: 10)
    // CVE-2019-9518.
    private var emptyData = TokenBucket(burst: 100, perSecond: 10)
    // CVE-2019-9511, 9517: credit that is dribbled out.
    private var windowUpdates = TokenBucket(burst: 5, perSecond: 10)
    private var padding = PaddingShare()
    private var headerBlock: HeaderBlockLimit
    private var goAways: [(last: Int32, code: UInt32)] = []

    private static let maximumGoAways = 2

    /// - Parameter headerListSize: the largest header list in bytes that the peer was told of.
    package init(role: HTTP2Settings.Role, headerListSize: Int = 0) {
        self.role = role
        headerBlock = HeaderBlockLimit(headerListSize: headerListSize)
    }

    /// The number of the header block that is being received; nil between blocks.
    package var openHeaderBlock: Int? { headerBlock.open }
    /// The number of the header block that was begun last.
    var lastHeaderBlock: Int { headerBlock.blocks }

    /// A frame's head arrived.
    package mutating func received(_ head: FrameHead, at now: Int64) -> Violation? {
        switch head.type {
        case FrameType.data: receivedData(head, now)
        case FrameType.headers: receivedHeaders(head)
        case FrameType.continuation: headerBlock.continues(head)
        case FrameType.windowUpdate:
            windowUpdates.spend(at: now) ? nil : .calm("more WINDOW_UPDATE frames than there was data to grant")
        case FrameType.pushPromise where role == .client:
            Violation(code: HTTP2ErrorCode.protocolError, text: "PUSH_PROMISE, which was disabled")
        case FrameType.priority: receivedPriority(head, now)
        // Counted once the library knows whose stream it was.
        case FrameType.resetStream: nil
        default: receivedControl(now)
        }
    }

    private mutating func receivedControl(_ now: Int64) -> Violation? {
        control.spend(at: now) ? nil : .calm("more than 100 control frames without calls")
    }

    // The library, which was told that priorities are not used, looks at none.
    private mutating func receivedPriority(_ head: FrameHead, _ now: Int64) -> Violation? {
        guard head.stream != 0, head.dependency != head.stream else {
            return Violation(
                code: HTTP2ErrorCode.protocolError,
                text: head.stream == 0 ? "PRIORITY on stream 0" : "a stream that depends on itself")
        }
        return receivedControl(now)
    }

    private mutating func receivedData(_ head: FrameHead, _ now: Int64) -> Violation? {
        if head.length == head.padding, head.flags & FrameFlag.endStream == 0, !emptyData.spend(at: now) {
            return .calm("more than 100 empty DATA frames")
        }
        // Not of a server: it pads what it was asked for, and gRPC's interop case data_frame_padding pads nearly all.
        guard role == .server else { return nil }
        return padding.received(head) ? nil : .calm("more padding than data")
    }

    private mutating func receivedHeaders(_ head: FrameHead) -> Violation? {
        windowUpdates.earn(2)
        return headerBlock.starts(head)
    }

    /// A header block is going to be unpacked.
    package mutating func beganFields() { headerBlock.unpacked = 0 }

    /// A field was unpacked; a name and a value of so many bytes. A table's entry of 4 KiB takes one byte to repeat.
    package mutating func receivedField(_ name: Int, _ value: Int) -> Violation? {
        headerBlock.receivedField(name, value)
    }

    /// RST_STREAM arrived for a stream that was open.
    package mutating func receivedReset(at now: Int64) -> Violation? {
        resets.spend(at: now) ? nil : .calm("more than 200 requests taken back before they were answered")
    }

    /// The library found a frame invalid, or reset a stream because of one.
    package mutating func receivedFault(at now: Int64) -> Violation? {
        faults.spend(at: now) ? nil : .calm("more than 50 invalid frames")
    }

    /// GOAWAY arrived: a graceful end takes two, of which the second tells the last stream (RFC 9113, section 6.8).
    package mutating func receivedGoAway(last: Int32, code: UInt32) -> Violation? {
        guard !goAways.contains(where: { $0 == (last, code) }) else { return nil }
        goAways.append((last, code))
        return goAways.count > Self.maximumGoAways ? .calm("more than 2 different GOAWAY frames") : nil
    }

    /// HEADERS left: a request or an answer.
    package mutating func sentHeaders() {
        resets.earn(1)
        windowUpdates.earn(2)
        earnControl()
    }

    /// A PING or SETTINGS frame left, which the peer will acknowledge.
    package mutating func sentQuestion() { control.earn(1) }

    /// DATA left.
    package mutating func sentData() {
        windowUpdates.earn(20)
        earnControl()
    }

    // Peers that measure bandwidth × delay send a PING, and at times SETTINGS, for the DATA they get.
    private mutating func earnControl() {
        control.earn(2)
        emptyData.earn(1)
    }
}

/// The share of padding in DATA, looked at once for each megabyte.
private struct PaddingShare {
    private var data = 0
    private var padding = 0

    private static let sample = 1 << 20

    /// Returns whether the share is fair so far.
    mutating func received(_ head: FrameHead) -> Bool {
        data += head.length
        padding += head.padding
        guard data > Self.sample else { return true }
        defer {
            data = 0
            padding = 0
        }
        return padding * 2 <= data
    }
}

/// How many frames and bytes one header block may take. CVE-2024-28182; nghttp2 1.52 counts reads instead of frames.
private struct HeaderBlockLimit {
    private(set) var open: Int?
    private(set) var blocks = 0
    private var continuations = 0
    private var bytes = 0
    // What the block amounts to, as SETTINGS_MAX_HEADER_LIST_SIZE counts. Source: RFC 9113, section 6.5.2.
    var unpacked = 0

    private let maximumContinuations: Int
    private let maximumBytes: Int

    // Four times a list that is larger than usual: it may come in smaller frames, and is refused politely before.
    init(headerListSize: Int) {
        maximumBytes = max(64 * 1024, min(headerListSize, .max / 4) * 4)
        maximumContinuations = max(8, maximumBytes / (8 * 1024))
    }

    mutating func starts(_ head: FrameHead) -> FrameBudget.Violation? {
        blocks &+= 1
        continuations = 0
        bytes = 0
        return add(head)
    }

    mutating func continues(_ head: FrameHead) -> FrameBudget.Violation? {
        continuations += 1
        guard continuations <= maximumContinuations else {
            return .calm("more than \(maximumContinuations) CONTINUATION frames")
        }
        return add(head)
    }

    mutating func receivedField(_ name: Int, _ value: Int) -> FrameBudget.Violation? {
        unpacked &+= name &+ value &+ 32
        return unpacked <= maximumBytes ? nil : .calm("a header list of more than \(maximumBytes / 1024) KiB")
    }

    private mutating func add(_ head: FrameHead) -> FrameBudget.Violation? {
        bytes += head.length
        open = head.endsHeaderBlock ? nil : blocks
        return bytes <= maximumBytes ? nil : .calm("a header block of more than \(maximumBytes / 1024) KiB")
    }
}
