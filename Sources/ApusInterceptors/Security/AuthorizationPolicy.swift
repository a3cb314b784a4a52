// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Who may call what: rules that deny, then rules that allow. A call that no rule allows is denied. Source: gRFC A43.
public struct AuthorizationPolicy: Sendable, Hashable {
    /// Which calls a rule is for: those for which all that it names holds.
    public struct Rule: Sendable, Hashable {
        /// What audit logs call it.
        public var name: String
        /// The caller is one of these; nil asks for nobody in particular, `["*"]` for anybody who is known.
        ///
        /// The caller is whom ``Authentication`` found, and the client certificate's URIs, DNS names and subject.
        public var principals: [StringMatch]?
        /// The path is one of these; empty is any.
        public var paths: [StringMatch]
        /// Each of these keys has one of its values.
        public var headers: [Header]

        /// A rule for all calls, or for those that the arguments name.
        public init(
            _ name: String, principals: [StringMatch]? = nil, paths: [StringMatch] = [], headers: [Header] = []
        ) {
            self.name = name
            self.principals = principals
            self.paths = paths
            self.headers = headers
        }
    }

    /// A metadata key and the values that it may have. Several values of a call are one, with commas between them.
    public struct Header: Sendable, Hashable {
        /// The key, in lower case.
        public var key: String
        /// One of these.
        public var values: [StringMatch]

        /// A key and its values.
        public init(_ key: String, values: [StringMatch]) {
            self.key = key.lowercased()
            self.values = values
        }
    }

    /// Which decisions an audit is told of. Source: gRFC A59.
    public struct AuditCondition: OptionSet, Sendable, Hashable {
        /// The bits.
        public let rawValue: UInt8
        /// A set of bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Calls that were denied.
        public static let denials = AuditCondition(rawValue: 1)
        /// Calls that were allowed.
        public static let permissions = AuditCondition(rawValue: 2)
    }

    /// What audit logs call it.
    public var name: String
    /// A call that one of these is for is denied, whatever allows it.
    public var deny: [Rule]
    /// A call that one of these is for is allowed.
    public var allow: [Rule]
    /// What the audit is told of.
    public var auditing: AuditCondition

    /// A policy.
    public init(_ name: String, deny: [Rule] = [], allow: [Rule], auditing: AuditCondition = []) {
        self.name = name
        self.deny = deny
        self.allow = allow
        self.auditing = auditing
    }

    /// What a policy says of a call, and by which rule.
    public enum Decision: Sendable, Hashable {
        /// It may be made.
        case allowed(rule: String)
        /// It may not; nil when no rule was for it.
        case denied(rule: String?)

        /// Whether it may be made.
        public var isAllowed: Bool {
            if case .allowed = self { true } else { false }
        }
    }

    /// Decides about a call.
    public func decide(_ call: ServerCallHead, principal: Principal?) -> Decision {
        let names = (principal.map { [$0.name] } ?? []) + (call.peerIdentity?.principalNames ?? [])
        if let rule = deny.first(where: { $0.isFor(call, names) }) { return .denied(rule: rule.name) }
        if let rule = allow.first(where: { $0.isFor(call, names) }) { return .allowed(rule: rule.name) }
        return .denied(rule: nil)
    }
}

extension AuthorizationPolicy.Rule {
    fileprivate func isFor(_ call: ServerCallHead, _ names: [String]) -> Bool {
        if let principals, !names.contains(where: { name in principals.contains { $0.matches(name) } }) { return false }
        if !paths.isEmpty, !paths.contains(where: { $0.matches(call.method.path) }) { return false }
        return headers.allSatisfy { $0.isMet(by: call.metadata) }
    }
}

extension AuthorizationPolicy.Header {
    fileprivate func isMet(by metadata: Metadata) -> Bool {
        let found = metadata.values(of: key)
        guard !found.isEmpty else { return false }
        let value = found.joined(separator: ",")
        return values.contains { $0.matches(value) }
    }
}

extension AuthorizationPolicy.AuditCondition: CustomStringConvertible {
    /// `denials`, `permissions`, both or `none`.
    public var description: String {
        let names = [(Self.denials, "denials"), (.permissions, "permissions")].filter { contains($0.0) }.map(\.1)
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}
