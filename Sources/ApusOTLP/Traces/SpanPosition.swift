// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Where a span stands: its trace, its own number, and whether it is recorded. Numbers, not texts: a call that is not
/// sampled has one of these and nothing else.
///
/// Source: W3C Trace Context, section 3; OpenCensus' binary encoding, which gRFC A72 keeps.
package struct SpanPosition: Sendable, Hashable {
    /// The span that is current: in a server's handler, that of its call.
    @TaskLocal package static var current: SpanPosition?

    package let traceHigh: UInt64
    package let traceLow: UInt64
    package let span: UInt64
    package let isSampled: Bool
    /// What tracers on the way have added, which is passed on.
    package var state: String?

    package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool, state: String? = nil) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
        self.state = state
    }

    /// What came with a call: W3C's header, or gRPC's binary one; nil for neither.
    package init?(_ metadata: Metadata) {
        guard !metadata.isEmpty else { return nil }
        if let text = metadata["traceparent"] {
            self.init(header: text)
            let lines = metadata.values(of: "tracestate")
            if !lines.isEmpty { state = lines.joined(separator: ",") }
        } else if let bytes = metadata[binary: "grpc-trace-bin"] {
            self.init(binary: bytes)
        } else {
            return nil
        }
    }

    /// Reads a header; nil for what is none. Later versions may have more behind the flags.
    package init?(header: String) {
        var header = header
        guard let fields = header.withUTF8({ HexadecimalReader($0).fields() }) else { return nil }
        self.init(fields.high, fields.low, fields.span, fields.flags)
    }

    /// Reads the value of `grpc-trace-bin`; nil for what is none.
    package init?(binary bytes: [UInt8]) {
        // Version 0, then fields with a number each: the trace, the span, the options.
        guard bytes.count >= 29, bytes[0] == 0, bytes[1] == 0, bytes[18] == 1, bytes[27] == 2 else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(number(2..<10), number(10..<18), number(19..<27), UInt64(bytes[28]))
    }

    private init?(_ high: UInt64, _ low: UInt64, _ span: UInt64, _ flags: UInt64) {
        guard high | low != 0, span != 0 else { return nil }
        self.init(traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 == 1)
    }

    /// Sends the position along.
    package func inject(into metadata: inout Metadata) {
        // Most calls bring none of it.
        if metadata.entries.contains(where: { Self.isKey($0.key) }) {
            for key in ["traceparent", "tracestate", "grpc-trace-bin"] { metadata.remove(key) }
        }
        // A peer that knows the binary form alone would begin another trace without it.
        metadata.append(
            .init(key: "traceparent", value: .ascii(header)), .init(key: "grpc-trace-bin", value: .binary(binary)))
        if let state { metadata.add("tracestate", state) }
    }

    private static func isKey(_ key: String) -> Bool {
        key == "traceparent" || key == "tracestate" || key == "grpc-trace-bin"
    }

    /// The header: version 00.
    package var header: String {
        String(unsafeUninitializedCapacity: 55) { text in
            text.initialize(repeating: UInt8(ascii: "-"))
            (text[0], text[1]) = (UInt8(ascii: "0"), UInt8(ascii: "0"))
            Self.write(traceHigh, to: text, at: 3)
            Self.write(traceLow, to: text, at: 19)
            Self.write(span, to: text, at: 36)
            (text[53], text[54]) = (UInt8(ascii: "0"), UInt8(ascii: isSampled ? "1" : "0"))
            return 55
        }
    }

    /// The value of `grpc-trace-bin`: 29 bytes, in one allocation.
    package var binary: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 29) { bytes, count in
            bytes.initialize(repeating: 0)
            let memory = UnsafeMutableRawBufferPointer(bytes)
            memory.storeBytes(of: traceHigh.bigEndian, toByteOffset: 2, as: UInt64.self)
            memory.storeBytes(of: traceLow.bigEndian, toByteOffset: 10, as: UInt64.self)
            (bytes[18], bytes[27], bytes[28]) = (1, 2, isSampled ? 1 : 0)
            memory.storeBytes(of: span.bigEndian, toByteOffset: 19, as: UInt64.self)
            count = 29
        }
    }

    /// The trace as 32 hexadecimal digits.
    package var traceID: String {
        String(unsafeUninitializedCapacity: 32) { text in
            text.initialize(repeating: 0)
            Self.write(traceHigh, to: text, at: 0)
            Self.write(traceLow, to: text, at: 16)
            return 32
        }
    }

    package var traceBytes: [UInt8] { Self.bytes(traceHigh) + Self.bytes(traceLow) }
    package var spanBytes: [UInt8] { Self.bytes(span) }

    package static func bytes(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func write(_ number: UInt64, to text: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
        for digit in 0..<16 {
            let value = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * digit)) & 15
            text[start + digit] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
        }
    }
}

/// Reads lower-case hexadecimal digits off a text; upper case is not allowed.
private struct HexadecimalReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// - Parameter bytes: what outlives the reader.
    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// What W3C's header has.
    consuming func fields() -> (high: UInt64, low: UInt64, span: UInt64, flags: UInt64)? {
        var reader = self
        guard let version = reader.number(2), version != 0xFF, reader.dash(), let high = reader.number(16),
            let low = reader.number(16), reader.dash(), let span = reader.number(16), reader.dash(),
            let flags = reader.number(2), reader.isAtEnd || version > 0 && reader.dash()
        else { return nil }
        return (high, low, span, flags)
    }

    private var isAtEnd: Bool { position == bytes.count }

    private mutating func dash() -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "-") else { return false }
        position += 1
        return true
    }

    // A number of so many digits, 16 at most.
    private mutating func number(_ digits: Int) -> UInt64? {
        guard bytes.count - position >= digits else { return nil }
        var number: UInt64 = 0
        for byte in bytes[position..<position + digits] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        position += digits
        return number
    }
}
