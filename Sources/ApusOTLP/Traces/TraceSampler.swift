// SPDX-License-Identifier: Apache-2.0

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
    /// the same behind `parentbased_`, and `OTEL_TRACES_SAMPLER_ARG`, the ratio from 0 to 1. Unless told,
    /// `parentbased_always_on` and 1.
    ///
    /// A value that is none of these counts as not there, as the specification has it: a process does not fail for it.
    /// Source: OpenTelemetry specification, *Environment Variable Specification*, *Enum* and *General SDK
    /// Configuration*.
    ///
    /// - Parameter warn: is told of such a value, in one line; unless given, the line goes to standard error.
    public init(environment: [String: String], warn: (String) -> Void = OTLPWarning.write) {
        let name = environment["OTEL_TRACES_SAMPLER"] ?? ""
        let prefix = "parentbased_"
        let asksParent = name.hasPrefix(prefix)
        let root: TraceSampler
        switch asksParent ? String(name.dropFirst(prefix.count)) : name {
        case "always_on": root = .alwaysOn
        case "always_off": root = .alwaysOff
        case "traceidratio": root = .ratio(Self.ratio(environment, warn))
        default:
            if !name.isEmpty {
                warn("OTEL_TRACES_SAMPLER is no sampler that is known here: \(name.debugDescription) is ignored")
            }
            self = .parentBased(root: .alwaysOn)
            return
        }
        self = asksParent ? .parentBased(root: root) : root
    }

    private static func ratio(_ environment: [String: String], _ warn: (String) -> Void) -> Double {
        guard let text = environment["OTEL_TRACES_SAMPLER_ARG"], !text.isEmpty else { return 1 }
        guard let share = Double(text), (0...1).contains(share) else {
            warn(
                "OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1: \(text.debugDescription) is ignored, all are taken"
            )
            return 1
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
