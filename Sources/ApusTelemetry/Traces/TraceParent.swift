// SPDX-License-Identifier: Apache-2.0

/// Where a call stands in a trace, as it travels: W3C's `traceparent`, and the bytes of `grpc-trace-bin`.
///
/// Source: W3C Trace Context, section 3.2; OpenCensus' binary encoding, which gRFC A72 keeps.
package struct TraceParent: Sendable, Hashable {
    /// 32 hexadecimal digits in lower case, not all zero.
    package let traceID: String
    /// 16 hexadecimal digits in lower case, not all zero.
    package let spanID: String
    /// The flags; bit 0 says that the caller records the trace.
    package let flags: UInt8

    /// Reads a header; nil for what is none. Later versions may have more behind the flags.
    package init?(_ header: String) {
        let bytes = Array(header.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Self.byte(bytes[0..<2]), version != 0xFF, let flags = Self.byte(bytes[53..<55]),
            bytes.count == 55 || (version > 0 && bytes[55] == dash)
        else { return nil }
        self.init(trace: bytes[3..<35], span: bytes[36..<52], flags: flags)
    }

    /// Reads the value of `grpc-trace-bin`; nil for what is none.
    package init?(binary bytes: [UInt8]) {
        // Version 0, then fields with a number each: the trace, the span, the options.
        guard bytes.count >= 29, bytes[0] == 0, bytes[1] == 0, bytes[18] == 1, bytes[27] == 2 else { return nil }
        self.init(
            trace: Self.digits(bytes[2..<18])[...], span: Self.digits(bytes[19..<27])[...], flags: bytes[28])
    }

    private init?(trace: ArraySlice<UInt8>, span: ArraySlice<UInt8>, flags: UInt8) {
        guard trace.allSatisfy(Self.isDigit), span.allSatisfy(Self.isDigit),
            trace.contains(where: { $0 != UInt8(ascii: "0") }), span.contains(where: { $0 != UInt8(ascii: "0") })
        else { return nil }
        traceID = String(decoding: trace, as: UTF8.self)
        spanID = String(decoding: span, as: UTF8.self)
        self.flags = flags
    }

    /// The header.
    package var header: String {
        let text = String(flags, radix: 16)
        return "00-\(traceID)-\(spanID)-\(text.count == 1 ? "0" : "")\(text)"
    }

    /// The value of `grpc-trace-bin`: 29 bytes.
    package var binary: [UInt8] { [0, 0] + Self.bytes(traceID) + [1] + Self.bytes(spanID) + [2, flags] }

    // Upper case is not allowed.
    private static func isDigit(_ byte: UInt8) -> Bool { value(byte) != nil }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func byte(_ pair: ArraySlice<UInt8>) -> UInt8? {
        guard pair.count == 2, let first = pair.first.flatMap(value), let last = pair.last.flatMap(value) else {
            return nil
        }
        return first << 4 | last
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { byte(digits[$0..<$0 + 2]) ?? 0 }
    }

    private static func digits(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let alphabet = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }
    }
}
