// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus
    public import ApusOTLP

    extension OTLPOptions {
        /// What the settings below `telemetry` ask for; the defaults where they ask for nothing. The variables that
        /// OpenTelemetry's specification names, such as `OTEL_EXPORTER_OTLP_ENDPOINT`, are read by
        /// ``init(environment:for:)`` instead.
        ///
        /// - Throws: for every value that is wrong.
        public init(configuration: Settings) throws(SettingsError) { self = try Self.read(configuration).options }

        fileprivate var serviceName: String? {
            get { resource["service.name"] }
            set { resource["service.name"] = newValue }
        }
    }

    extension OTLPOptions: ConfiguredOptions {
        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "telemetry.serviceName", \.serviceName, SettingForm.text("a name") { !$0.isEmpty }.optional,
                "What the process is called: `service.name`."),
            SettingRow("telemetry.otlp.address", \.receiver.address, .address, "Where the collector is."),
            SettingRow("telemetry.otlp.secure", \.receiver.isSecure, .flag, "Whether the way to it is encrypted."),
            SettingRow(
                "telemetry.otlp.headers", \.headers, .headers, isSecret: true,
                "Metadata of each export, such as a collector's token."),
            SettingRow(
                "telemetry.otlp.compression", \.compression, .choice(["none": nil, "gzip": .gzip]),
                "How exports are compressed."),
            SettingRow(
                "telemetry.otlp.timeout", \.timeout, .duration(from: .milliseconds(1)),
                "The time that one export may take."),
            SettingRow(
                "telemetry.otlp.interval", \.interval, .duration(from: .milliseconds(1)),
                "The time between two exports of metrics."),
            SettingRow(
                "telemetry.otlp.maximumSeries", \.maximumSeries, .count(1...Int(Int32.max)),
                "How many series one request carries at most."),
        ]
    }

    extension SettingForm<Metadata> {
        /// `name=value` pairs.
        static let headers = SettingForm(expected: "a list with commas, of each a header name=value") { text in
            var headers = Metadata()
            guard text != "none" else { return headers }
            for part in text.split(separator: ",") {
                let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard halves.count == 2, isName(halves[0]), halves[1].utf8.allSatisfy({ (0x20...0x7e).contains($0) })
                else {
                    return nil
                }
                headers.add(halves[0].lowercased(), String(halves[1]))
            }
            return headers
        } write: { headers in
            headers.isEmpty ? "none" : "<redacted>"
        }

        private static func isName(_ text: Substring) -> Bool {
            let name = text.lowercased()
            return !name.isEmpty && !name.hasPrefix("grpc-") && !name.hasSuffix("-bin")
                && name.utf8.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-_.".utf8.contains(byte)
                }
        }
    }
#endif
