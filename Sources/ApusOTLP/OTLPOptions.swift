// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// What an exporter says of its process, and how often it exports.
public struct OTLPOptions: Sendable {
    /// What the process is, by OpenTelemetry's names: `service.name`, `service.version` and the like.
    public var resource: [String: String]
    /// The time between two exports.
    public var interval: Duration
    /// The time that one export may take.
    public var timeout: Duration
    /// How requests are compressed; nil sends them as they are. The channel needs the compressor; gzip is always there.
    public var compression: Compression?
    /// Where the receiver is, for who makes the channel to it.
    public var receiver: OTLPReceiver
    /// Metadata that is sent with each export, such as a collector's token.
    public var headers: Metadata
    /// How many series one request carries at most: collectors refuse requests above their limit of a message.
    public var maximumSeries: Int

    /// The options; the defaults are OpenTelemetry's.
    public init(
        resource: [String: String] = [:], interval: Duration = .seconds(60), timeout: Duration = .seconds(10),
        headers: Metadata = Metadata(), maximumSeries: Int = 1000, compression: Compression? = nil,
        receiver: OTLPReceiver = OTLPReceiver()
    ) {
        self.resource = resource
        self.interval = interval
        self.timeout = timeout
        self.headers = headers
        self.maximumSeries = maximumSeries
        self.compression = compression
        self.receiver = receiver
    }

    /// The options of one export's call.
    func call(within limit: Duration) -> CallOptions {
        CallOptions(timeout: limit, metadata: headers, compression: compression)
    }

    /// The options that a process' environment asks for: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_INSECURE`, `OTEL_EXPORTER_OTLP_COMPRESSION`,
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT` and `OTEL_METRIC_EXPORT_INTERVAL`, the last two in
    /// milliseconds. What is not there or empty has its default.
    ///
    /// A number, a flag, a compression or a list of attributes that cannot be read counts as not there, as the
    /// specification has it: a process does not fail for it. An endpoint or headers that cannot be read are an error:
    /// without them the exports, or their secrets, would go elsewhere. Source: OpenTelemetry specification, *Environment
    /// Variable Specification* and *Resource SDK*.
    ///
    /// - Parameters:
    ///   - signal: whose options these are. Variables with its name behind `OTLP`, such as
    ///     `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, win over those without.
    ///   - warn: is told of what is ignored, in one line with the variable's name, without its value, which may be a
    ///     secret; unless given, the line goes to standard error.
    /// - Throws: INVALID_ARGUMENT with the variable's name, without its value.
    public init(
        environment: [String: String], for signal: OTLPSignal = .metrics,
        warn: (String) -> Void = OTLPWarning.write
    ) throws(RPCError) {
        self.init()
        resource = Self.attributes(environment, warn)
        if let name = environment["OTEL_SERVICE_NAME"], !name.isEmpty { resource["service.name"] = name }
        let headersName = signal.variable("HEADERS", environment)
        for (key, value) in try Self.pairs(headersName, environment) {
            guard Self.isKey(key), value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw Self.bad(headersName, "a list such as key1=value1,key2=value2 of headers")
            }
            headers.add(key.lowercased(), value)
        }
        receiver = try OTLPReceiver(environment, signal, warn)
        compression = Self.compression(signal.variable("COMPRESSION", environment), environment, warn)
        timeout = Self.milliseconds(signal.variable("TIMEOUT", environment), environment, warn) ?? timeout
        interval = Self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", environment, warn) ?? interval
    }

    private static func compression(
        _ name: String, _ environment: [String: String], _ warn: (String) -> Void
    ) -> Compression? {
        switch environment[name] ?? "" {
        case "", "none": break
        case "gzip": return .gzip
        default: warn(ignored(name, "gzip or none"))
        }
        return nil
    }

    // All of them or none: half of what a process says of itself would make it another one.
    private static func attributes(_ environment: [String: String], _ warn: (String) -> Void) -> [String: String] {
        do {
            return Dictionary(try pairs("OTEL_RESOURCE_ATTRIBUTES", environment)) { $1 }
        } catch {
            warn("\(error.message): it is ignored")
            return [:]
        }
    }

    static func ignored(_ name: String, _ expected: String) -> String {
        "the environment's \(name) is not \(expected): it is ignored"
    }

    static func bad(_ name: String, _ expected: String) -> RPCError {
        RPCError(.invalidArgument, "the environment's \(name) is not \(expected)")
    }

    private static func milliseconds(
        _ name: String, _ environment: [String: String], _ warn: (String) -> Void
    ) -> Duration? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let number = Int32(text), number > 0 else {
            warn(ignored(name, "a number of milliseconds above 0"))
            return nil
        }
        return .milliseconds(number)
    }

    private static func pairs(
        _ name: String, _ environment: [String: String]
    ) throws(RPCError) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for part in (environment[name] ?? "").split(separator: ",") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let key = decoded(trimmed(halves[0])), !key.isEmpty,
                let value = decoded(trimmed(halves[1]))
            else { throw bad(name, "a list such as key1=value1,key2=value2") }
            pairs.append((key, value))
        }
        return pairs
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    // Percent signs begin bytes, as in URLs; nil for what is none.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let number = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(number)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isKey(_ key: String) -> Bool {
        !key.lowercased().hasPrefix("grpc-") && !key.lowercased().hasSuffix("-bin")
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
