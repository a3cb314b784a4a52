// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry

extension LogRecord {
    /// A line as a record.
    ///
    /// - Parameters:
    ///   - leftOut: how many lines a rate has held back since the one before.
    ///   - call: what knows the span.
    ///   - now: nanoseconds since 1970.
    init(_ line: LogLine, leftOut: Int, of call: CallRecord?, at now: UInt64) {
        var attributes = line.fields.filter { $0.key != "trace_id" }.map { KeyValue($0.key, $0.value) }
        if leftOut > 0 { attributes.append(KeyValue("lines_left_out", Int64(leftOut))) }
        let (number, text) = Self.severity(line.severity)
        // A span's number alone says nothing.
        let trace = line["trace_id"].flatMap { Self.bytes($0, count: 16) } ?? []
        let span = trace.isEmpty ? [] : call?.spanID.map(SpanPosition.bytes) ?? []
        self.init(
            timeUnixNano: now, observedTimeUnixNano: now, severityNumber: number, severityText: text,
            body: AnyValue(value: .stringValue(line.message)), attributes: attributes, flags: span.isEmpty ? 0 : 1,
            traceId: trace, spanId: span)
    }

    // Source: OpenTelemetry, *Logs data model*, mapping of severities.
    private static func severity(_ severity: LogSeverity) -> (SeverityNumber, String) {
        switch severity {
        case .debug: (.debug, "DEBUG")
        case .info: (.info, "INFO")
        case .notice: (.info2, "NOTICE")
        case .warning: (.warn, "WARN")
        case .error: (.error, "ERROR")
        }
    }

    private static func bytes(_ digits: String, count: Int) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count == 2 * count else { return nil }
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        return bytes.count == count ? bytes : nil
    }
}
