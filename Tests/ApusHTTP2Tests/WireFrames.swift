// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2

/// Frames written by hand, for what no library would send.
enum WireFrames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func frame(
        _ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        let count = payload.count
        let head = [UInt8(count >> 16 & 0xff), UInt8(count >> 8 & 0xff), UInt8(count & 0xff), type, flags]
        return head + number(stream) + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
    }

    static let settings = frame(FrameType.settings)
    static let settingsAck = frame(FrameType.settings, flags: FrameFlag.acknowledge)
    static let ping = frame(FrameType.ping, [1, 2, 3, 4, 5, 6, 7, 8])

    /// A request head in HPACK without a table: `POST http /a`.
    static let requestBlock: [UInt8] = [0x83, 0x86, 0x04, 0x02, 0x2f, 0x61, 0x01, 0x01, 0x74]

    static func headers(_ stream: UInt32, end: Bool = false, _ block: [UInt8] = requestBlock) -> [UInt8] {
        let flags = FrameFlag.endHeaders | (end ? FrameFlag.endStream : 0)
        return frame(FrameType.headers, flags: flags, stream: stream, block)
    }

    static func reset(_ stream: UInt32) -> [UInt8] { frame(FrameType.resetStream, stream: stream, number(8)) }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        frame(FrameType.windowUpdate, stream: stream, number(increment))
    }
}

/// A GOAWAY in bytes that a session drained; nil when there is none.
struct WireGoAway: Equatable {
    var code: UInt32
    var debug: String

    init(code: UInt32, debug: String) {
        self.code = code
        self.debug = debug
    }

    init?(in bytes: [UInt8]) {
        var found: WireGoAway?
        var offset = 0
        while offset + 9 <= bytes.count {
            let size = bytes[offset..<offset + 3].reduce(0) { $0 << 8 | Int($1) }
            let payload = bytes[(offset + 9)...].prefix(size)
            if bytes[offset + 3] == FrameType.goAway, payload.count >= 8 {
                let code = payload.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
                found = WireGoAway(code: code, debug: String(decoding: payload.dropFirst(8), as: UTF8.self))
            }
            offset += 9 + size
        }
        guard let found else { return nil }
        self = found
    }
}
