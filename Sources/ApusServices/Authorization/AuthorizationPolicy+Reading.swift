// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusInterceptors

extension AuthorizationPolicy {
    private static let maximumBytes = 1 << 20
    // What HTTP/2 does not carry, or carries elsewhere.
    private static let connectionHeaders: Set = [
        "connection", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    /// The policy in a JSON document of gRFC A43, with the audit condition of A59. A field that is not known is refused:
    /// a rule that is half understood is worse than none.
    ///
    /// ```json
    /// {
    ///   "name": "users",
    ///   "deny_rules": [{"name": "no deletes", "request": {"paths": ["*/Delete"]}}],
    ///   "allow_rules": [{"name": "shop", "source": {"principals": ["spiffe://example.org/*"]}}],
    ///   "audit_logging_options": {"audit_condition": "ON_DENY"}
    /// }
    /// ```
    ///
    /// - Parameter name: what errors call the document: a file's path, for example.
    /// - Throws: INVALID_ARGUMENT with the document's name, line, column (of bytes) and what is wrong there.
    public init(reading document: [UInt8], name: String = "authorization policy") throws(RPCError) {
        self = try ConfigDocument.read(document, name: name, maximumBytes: Self.maximumBytes) {
            (root) throws(ConfigProblem) in try Self.policy(root)
        }
    }

    private static func policy(_ root: ConfigValue) throws(ConfigProblem) -> AuthorizationPolicy {
        try root.refuseOthers(than: ["name", "deny_rules", "allow_rules", "audit_logging_options"])
        let allow = try root.required("allow_rules")
        guard try !allow.elements().isEmpty else { throw allow.problem("is empty") }
        return AuthorizationPolicy(
            try root.required("name").text(), deny: try root.member("deny_rules").map(rules) ?? [],
            allow: try rules(allow), auditing: try root.member("audit_logging_options").map(auditing) ?? [])
    }

    private static func rules(_ value: ConfigValue) throws(ConfigProblem) -> [Rule] {
        var rules: [Rule] = []
        for element in try value.elements() { rules.append(try rule(element)) }
        return rules
    }

    private static func rule(_ value: ConfigValue) throws(ConfigProblem) -> Rule {
        try value.refuseOthers(than: ["name", "source", "request"])
        var rule = Rule(try value.required("name").text())
        if let source = try value.member("source") {
            try source.refuseOthers(than: ["principals"])
            // Without any it is as if there were no source.
            let principals = try source.member("principals").map(patterns) ?? []
            rule.principals = principals.isEmpty ? nil : principals
        }
        if let request = try value.member("request") {
            try request.refuseOthers(than: ["paths", "headers"])
            rule.paths = try request.member("paths").map(patterns) ?? []
            for element in try request.member("headers")?.elements() ?? [] { rule.headers.append(try header(element)) }
        }
        return rule
    }

    private static func header(_ value: ConfigValue) throws(ConfigProblem) -> Header {
        try value.refuseOthers(than: ["key", "values"])
        let key = try value.required("key")
        let name = try key.text().lowercased()
        guard !name.hasPrefix(":"), !name.hasPrefix("grpc-"), !connectionHeaders.contains(name) else {
            throw key.problem("is a header that rules cannot be about")
        }
        let values = try value.required("values")
        let patterns = try patterns(values)
        guard !patterns.isEmpty else { throw values.problem("is empty") }
        return Header(name, values: patterns)
    }

    private static func patterns(_ value: ConfigValue) throws(ConfigProblem) -> [StringMatch] {
        var patterns: [StringMatch] = []
        for element in try value.elements() { patterns.append(StringMatch(try element.string())) }
        return patterns
    }

    private static func auditing(_ value: ConfigValue) throws(ConfigProblem) -> AuditCondition {
        try value.refuseOthers(than: ["audit_condition", "audit_loggers"])
        // Which loggers there are is said in code.
        for logger in try value.member("audit_loggers")?.elements() ?? [] {
            guard try logger.member("is_optional")?.bool() == true else {
                throw logger.problem("names an audit logger that is not known")
            }
        }
        guard let condition = try value.member("audit_condition") else { return [] }
        switch try condition.string() {
        case "NONE": return []
        case "ON_DENY": return .denials
        case "ON_ALLOW": return .permissions
        case "ON_DENY_AND_ALLOW": return [.denials, .permissions]
        default: throw condition.problem("is none of NONE, ON_DENY, ON_ALLOW, ON_DENY_AND_ALLOW")
        }
    }
}

extension ConfigValue {
    fileprivate func refuseOthers(than names: Set<String>) throws(ConfigProblem) {
        guard case .object(let members) = json else { throw problem("is no object") }
        guard let other = members.keys.filter({ !names.contains($0) }).min() else { return }
        throw ConfigValue(json: .null, path: path + [other]).problem("is not known")
    }

    /// A string with something in it.
    fileprivate func text() throws(ConfigProblem) -> String {
        let text = try string()
        guard !text.isEmpty else { throw problem("is empty") }
        return text
    }
}
