// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Which traces are recorded. A pure decision, by the trace's number: services with one ratio choose the same traces.
///
/// Source: OpenTelemetry specification, *Built-in samplers* and *General SDK configuration*.
public struct TraceSampler: Sendable, Hashable {
    // Traces whose number is below it, of 2^63.
    private let bound: UInt64
    private let asksParent: Bool

    /// Every trace.
    public static let alwaysOn = TraceSampler(share: 1)
    /// None.
    public static let alwaysOff = TraceSampler(share: 0)

    /// A share of all traces, from 0 to 1; held at these.
    public static func ratio(_ share: Double) -> TraceSampler { TraceSampler(share: share) }

    /// What the caller has decided; a trace that begins here is up to `root`.
    public static func parentBased(root: TraceSampler) -> TraceSampler {
        TraceSampler(bound: root.bound, asksParent: true)
    }

    private init(share: Double) {
        let share = share > 0 ? min(1, share) : 0
        self.init(bound: share == 1 ? 1 << 63 : UInt64(share * 0x1p63), asksParent: false)
    }

    private init(bound: UInt64, asksParent: Bool) {
        self.bound = bound
        self.asksParent = asksParent
    }

    /// The sampler of a process' environment: `OTEL_TRACES_SAMPLER`, one of `always_on`, `always_off`, `traceidratio` and
    /// the same behind `parentbased_`, and `OTEL_TRACES_SAMPLER_ARG`, the ratio. Unless told, `parentbased_always_on`.
    ///
    /// - Throws: INVALID_ARGUMENT with the variable's name.
    public init(environment: [String: String]) throws(RPCError) {
        var name = environment["OTEL_TRACES_SAMPLER"] ?? ""
        if name.isEmpty { name = "parentbased_always_on" }
        let prefix = "parentbased_"
        let asksParent = name.hasPrefix(prefix)
        let root: TraceSampler
        switch asksParent ? String(name.dropFirst(prefix.count)) : name {
        case "always_on": root = .alwaysOn
        case "always_off": root = .alwaysOff
        case "traceidratio": root = .ratio(try Self.ratio(environment))
        default: throw RPCError(.invalidArgument, "the environment's OTEL_TRACES_SAMPLER is not a sampler's name")
        }
        self = asksParent ? .parentBased(root: root) : root
    }

    private static func ratio(_ environment: [String: String]) throws(RPCError) -> Double {
        guard let text = environment["OTEL_TRACES_SAMPLER_ARG"], !text.isEmpty else { return 1 }
        guard let share = Double(text), (0...1).contains(share) else {
            throw RPCError(.invalidArgument, "the environment's OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1")
        }
        return share
    }

    /// Whether a span is recorded.
    ///
    /// - Parameters:
    ///   - trace: the lower half of the trace's number.
    ///   - parent: whether the parent is; nil when there is none.
    package func samples(trace: UInt64, parent: Bool?) -> Bool {
        if asksParent, let parent { return parent }
        return trace >> 1 < bound
    }
}
