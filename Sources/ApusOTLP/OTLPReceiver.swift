// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// What is exported, as the names of variables have it.
public enum OTLPSignal: String, Sendable, Hashable, CaseIterable {
    /// Spans.
    case traces = "TRACES"
    /// Measures.
    case metrics = "METRICS"
    /// Log records.
    case logs = "LOGS"

    // The signal's own variable, if that says anything, or that of all signals.
    func variable(_ name: String, _ environment: [String: String]) -> String {
        let own = "OTEL_EXPORTER_OTLP_\(rawValue)_\(name)"
        return environment[own, default: ""].isEmpty ? "OTEL_EXPORTER_OTLP_\(name)" : own
    }
}

/// Where a collector is reached.
///
/// Source: OpenTelemetry specification, *OpenTelemetry Protocol Exporter*, configuration options.
public struct OTLPReceiver: Sendable, Hashable {
    /// Its address: port 4317 of this machine unless told.
    public var address: Endpoint.Address
    /// Whether the way to it is to be encrypted.
    public var isSecure: Bool

    /// A receiver.
    public init(_ address: Endpoint.Address = .host("localhost", port: 4317), isSecure: Bool = false) {
        self.address = address
        self.isSecure = isSecure
    }

    init(_ environment: [String: String], _ signal: OTLPSignal, _ warn: (String) -> Void) throws(RPCError) {
        let name = signal.variable("ENDPOINT", environment)
        self.init()
        let insecure = signal.variable("INSECURE", environment)
        let isInsecure = environment[insecure, default: ""].lowercased()
        // What is neither counts as false.
        if !["", "true", "false"].contains(isInsecure) { warn(OTLPOptions.ignored(insecure, "true or false")) }
        guard let text = environment[name], !text.isEmpty else { return }
        guard let receiver = Self.read(text, isSecure: isInsecure != "true") else {
            throw OTLPOptions.bad(name, "an address such as http://collector:4317")
        }
        self = receiver
    }

    // A scheme decides over encryption; a path means nothing to gRPC.
    private static func read(_ text: String, isSecure: Bool) -> OTLPReceiver? {
        var (rest, isSecure) = (text[...], isSecure)
        let lowercased = text.lowercased()
        for (scheme, encrypts) in [("http://", false), ("https://", true)] where lowercased.hasPrefix(scheme) {
            (rest, isSecure) = (text.dropFirst(scheme.count), encrypts)
        }
        rest = rest.prefix { $0 != "/" }
        guard !rest.contains("@") else { return nil }
        var host = rest
        var port: Substring?
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<end]
            let behind = rest[rest.index(after: end)...]
            guard behind.isEmpty || behind.first == ":" else { return nil }
            port = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = rest.firstIndex(of: ":") {
            (host, port) = (rest[..<colon], rest[rest.index(after: colon)...])
        }
        let number = port.map { Int($0) ?? 0 } ?? 4317
        guard !host.isEmpty, (1...65535).contains(number) else { return nil }
        return OTLPReceiver(.host(String(host), port: number), isSecure: isSecure)
    }
}
