// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Who makes a call, as ``Authentication`` found out.
public struct Principal: Sendable, Hashable {
    /// The name, unique among those that the server knows: a SPIFFE identity, an account, a token's subject.
    public var name: String
    /// What else the credentials say, such as a token's claims or scopes.
    public var attributes: [String: String]

    /// A principal.
    public init(name: String, attributes: [String: String] = [:]) {
        self.name = name
        self.attributes = attributes
    }

    /// Who makes the call that the current task handles; nil when nobody asked, or the method is open to all.
    @TaskLocal public static var current: Principal?
}

extension Principal: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}
