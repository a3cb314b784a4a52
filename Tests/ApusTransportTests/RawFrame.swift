// SPDX-License-Identifier: Apache-2.0

import CNghttp2

/// One HTTP/2 frame, made and read by hand. Source: RFC 9113, sections 4 and 6.
struct RawFrame: Equatable, Sendable {
    enum Kind: UInt8 {
        case data = 0, headers, priority, rstStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    var type: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4

    init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.init(type: kind.rawValue, flags: flags, stream: stream, payload: payload)
    }

    init(type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8]) {
        self.type = type
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    var kind: Kind? { Kind(rawValue: type) }
    var endsStream: Bool { (kind == .data || kind == .headers) && flags & Self.endStream != 0 }

    var bytes: [UInt8] {
        let size = UInt32(payload.count)
        return [UInt8(size >> 16), UInt8(size >> 8 & 255), UInt8(size & 255), type, flags]
            + Self.bigEndian(stream) + payload
    }

    static func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    /// The big-endian number at `offset` of the payload.
    func number(at offset: Int = 0) -> UInt32 {
        payload.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    static let settings = RawFrame(.settings)
    static let settingsAck = RawFrame(.settings, flags: ack)

    static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = false) -> RawFrame {
        RawFrame(.data, flags: end ? endStream : 0, stream: stream, bytes)
    }

    static func rst(_ stream: UInt32, _ code: UInt32) -> RawFrame {
        RawFrame(.rstStream, stream: stream, bigEndian(code))
    }

    static func goAway(last: UInt32, _ code: UInt32, _ debug: String = "") -> RawFrame {
        RawFrame(.goAway, bigEndian(last) + bigEndian(code) + Array(debug.utf8))
    }

    /// A header block in as many frames as its size needs.
    static func headers(_ stream: UInt32, _ fields: [(String, String)], end: Bool = false) -> [RawFrame] {
        var rest = fields.flatMap { literal($0.0, $0.1) }[...]
        var frames: [RawFrame] = []
        repeat {
            let piece = Array(rest.prefix(16_384))
            rest = rest.dropFirst(16_384)
            let flags = rest.isEmpty ? endHeaders : 0
            if frames.isEmpty {
                frames.append(RawFrame(.headers, flags: flags | (end ? endStream : 0), stream: stream, piece))
            } else {
                frames.append(RawFrame(.continuation, flags: flags, stream: stream, piece))
            }
        } while !rest.isEmpty
        return frames
    }

    // HPACK, RFC 7541, section 6.2.2: a literal field without indexing, with a new name, without Huffman.
    private static func literal(_ name: String, _ value: String) -> [UInt8] { [0] + string(name) + string(value) }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }
}

/// Reads the header blocks that the other side has compressed.
final class RawHeaderDecoder {
    private var inflater: OpaquePointer?

    init() { nghttp2_hd_inflate_new(&inflater) }
    deinit { nghttp2_hd_inflate_del(inflater) }

    func decode(_ block: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:]
        block.withUnsafeBufferPointer { block in
            var offset = 0
            while let start = block.baseAddress {
                var field = nghttp2_nv()
                var flags: Int32 = 0
                let count = nghttp2_hd_inflate_hd2(inflater, &field, &flags, start + offset, block.count - offset, 1)
                guard count >= 0 else { return }
                offset += Int(count)
                if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
                    let name = String(
                        decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
                    fields[name] = String(
                        decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
                }
                if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 { break }
            }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }
}
