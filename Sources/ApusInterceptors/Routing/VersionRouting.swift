// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends some calls to some instances: those with a header, or a share of all, to a new version; the rest elsewhere.
///
/// Stands between ``Discovery`` and the balancer: each try is routed anew. The first rule that is for a call says where
/// it goes. Calls that no rule is for go to the instances that no rule names, or, when there are none, to all.
///
/// ```swift
/// VersionRouting([
///     .init(.header("x-canary", "*"), to: "version", "2"),
///     .init(.share(0.05), to: "version", "2"),
/// ])
/// ```
public struct VersionRouting: RoutingInterceptor {
    /// Which calls a rule is for.
    public enum Condition: Sendable, Hashable {
        /// Calls with a metadata value like this.
        case header(_ key: String, StringMatch)
        /// So large a share of the calls that came to this rule, 0 to 1, by chance.
        case share(Double)
    }

    /// Where some calls go.
    public struct Rule: Sendable, Hashable {
        /// Which calls.
        public var condition: Condition
        /// The metadata key that an instance must have …
        public var key: String
        /// … and its value.
        public var value: String

        /// A rule.
        public init(_ condition: Condition, to key: String, _ value: String) {
            self.condition = condition
            self.key = key
            self.value = value
        }
    }

    private let rules: [Rule]
    private let isStrict: Bool
    private let random: any RandomSource
    private let owner = EndpointAttachment.Owner()

    /// Routes by rules.
    ///
    /// - Parameters:
    ///   - isStrict: whether a call fails when its rule names instances of which there are none; else it goes where
    ///     calls without a rule go.
    public init(_ rules: [Rule], isStrict: Bool = false, random: any RandomSource = SplitMixRandom.shared) {
        self.rules = rules
        self.isStrict = isStrict
        self.random = random
    }

    /// Narrows the candidates.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there is no instance for a call and the rules are strict.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let candidates = call.candidates, !candidates.handles.isEmpty else { return try await next(call) }
        let table = candidates.attachment(of: owner) { VersionTable(candidates, rules) }
        var call = call
        let index = Self.rule(for: call.metadata, rules, random)
        if let index, !table.named[index].handles.isEmpty {
            call.candidates = table.named[index]
        } else if let index, isStrict, !call.onlyConnects {
            let rule = rules[index]
            throw RPCError(
                .unavailable, "'\(call.target)' has no instance with \(rule.key) \(rule.value)", progress: .notConnected
            )
        } else {
            call.candidates = table.rest ?? candidates
        }
        return try await next(call)
    }

    /// The index of the first rule that is for a call.
    static func rule(for metadata: Metadata, _ rules: [Rule], _ random: any RandomSource) -> Int? {
        rules.firstIndex { rule in
            switch rule.condition {
            case .header(let key, let match): metadata.values(of: key).contains { match.matches($0) }
            case .share(let share): random.unit() < share
            }
        }
    }
}

/// The instances of each rule, and those of none.
private final class VersionTable: Sendable {
    let named: [Candidates]
    /// nil for all: the snapshot that this hangs on must not be held by it.
    let rest: Candidates?

    init(_ candidates: Candidates, _ rules: [VersionRouting.Rule]) {
        let handles = candidates.handles
        named = rules.map { rule in
            Candidates(handles: handles.filter { $0.metadata[rule.key] == rule.value })
        }
        let others = handles.filter { handle in
            !rules.contains { handle.metadata[$0.key] == $0.value }
        }
        rest = others.isEmpty ? nil : Candidates(handles: others)
    }
}

extension VersionRouting: DescribedPolicy {
    /// The rules in their order.
    public var policyValues: [PolicyValue] {
        rules.map { PolicyValue("rule", $0) } + [PolicyValue("isStrict", isStrict)]
    }
}

extension VersionRouting.Rule: CustomStringConvertible {
    /// One line: `header x-canary to version 2`. Without what the header is compared with: it may be a key.
    public var description: String {
        switch condition {
        case .header(let header, _): "header \(header) to \(key) \(value)"
        case .share(let share): "\(share) of the calls to \(key) \(value)"
        }
    }
}
