// SPDX-License-Identifier: Apache-2.0

/// Metrics in the text format that Prometheus scrapes, version 0.0.4.
///
/// Dots of names become underscores, units stand at the names' ends (`_seconds`, `_bytes`), counters end in `_total`.
/// Times are in seconds. To be sent with ``contentType``.
public enum PrometheusText {
    /// The format's media type.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The page of these metrics.
    public static func render(_ families: [MetricFamily]) -> String {
        var page = ""
        for family in families where !family.series.isEmpty { write(family, to: &page) }
        return page
    }

    private static func write(_ family: MetricFamily, to page: inout String) {
        let name = name(of: family.metric)
        page += "# HELP \(name) \(escaped(help: family.metric.help))\n# TYPE \(name) \(type(family.metric.kind))\n"
        for series in family.series {
            switch series.value {
            case .number(let number):
                page += "\(name)\(labels(series.labels)) \(text(number, family.metric.unit))\n"
            case .histogram(let buckets, let sum):
                write(buckets, sum, name, series.labels, family.metric, to: &page)
            }
        }
    }

    private static func write(
        _ buckets: [Int], _ sum: Int, _ name: String, _ labels: [Metric.Label], _ metric: Metric, to page: inout String
    ) {
        guard case .histogram(let bounds) = metric.kind else { return }
        var count = 0
        for (index, bucket) in buckets.enumerated() {
            count += bucket
            let bound = index < bounds.count ? text(bounds[index], metric.unit) : "+Inf"
            page += "\(name)_bucket\(self.labels(labels + [Metric.Label("le", bound)])) \(count)\n"
        }
        let labels = self.labels(labels)
        page += "\(name)_sum\(labels) \(text(sum, metric.unit))\n\(name)_count\(labels) \(count)\n"
    }

    private static func type(_ kind: Metric.Kind) -> String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }

    /// The metric's name as Prometheus has it.
    public static func name(of metric: Metric) -> String {
        var name = plain(metric.name)
        switch metric.unit {
        case .seconds: name += "_seconds"
        case .bytes: name += "_bytes"
        case .count: break
        }
        return metric.kind == .counter ? name + "_total" : name
    }

    // Letters, digits and underscores, and no digit in front.
    private static func plain(_ name: String) -> String {
        var text = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { $0.isASCII && ($0.properties.isAlphabetic || isDigit($0)) ? $0 : "_" }))
        if text.unicodeScalars.first.map(isDigit) ?? true { text = "_" + text }
        return text
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func labels(_ labels: [Metric.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\(plain($0.name))=\"\(escaped(label: $0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(label text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func escaped(help text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    // Exact, where a division of floating-point numbers would show 0.30000000000000004.
    private static func text(_ value: Int, _ unit: Metric.Unit) -> String {
        guard unit == .seconds else { return String(value) }
        let (seconds, nanoseconds) = value.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let sign = value < 0 ? "-" : ""
        guard nanoseconds > 0 else { return "\(sign)\(seconds)" }
        var digits = String(nanoseconds)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)\(seconds).\(digits)"
    }
}
