// SPDX-License-Identifier: Apache-2.0

/// A policy that tells operators what it was told: the admin page's `/config` shows it.
///
/// ```swift
/// extension Tag: DescribedPolicy {
///     var policyValues: [PolicyValue] { [PolicyValue("key", key)] }     // and not the token that it sends
/// }
/// ```
public protocol DescribedPolicy {
    /// The values in force now, the most telling first. Never a secret: whoever may look at the page sees them.
    var policyValues: [PolicyValue] { get }
}

/// One value of a policy, as text for people.
public struct PolicyValue: Sendable, Hashable {
    /// What it is called, as where the policy is made.
    public let name: String
    /// The value, with its unit.
    public let text: String

    /// A value.
    public init(_ name: String, _ value: some CustomStringConvertible) {
        self.name = name
        text = value.description
    }

    /// A value that may be missing: `none` then.
    public init(_ name: String, _ value: (some CustomStringConvertible)?) {
        self.name = name
        text = value?.description ?? "none"
    }

    /// Codes, by their names.
    public init(_ name: String, _ codes: Set<Status.Code>) { self.init(name, listing: codes.map(\.name).sorted()) }

    /// Several texts: `none` when there is none.
    package init(_ name: String, listing texts: some Collection<String>) {
        self.init(name, texts.isEmpty ? "none" : texts.joined(separator: ", "))
    }
}
