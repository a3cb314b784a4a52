// SPDX-License-Identifier: Apache-2.0

/// Who may see the admin page. Pure.
package struct AdminAccess: Sendable {
    private let token: [UInt8]?
    private let hosts: Set<String>

    /// - Parameters:
    ///   - token: what stands behind `Bearer`; nil asks for none.
    ///   - hosts: names besides `localhost` under which the page may be asked for.
    package init(token: String?, hosts: Set<String>) {
        self.token = token.map { Array($0.utf8) }
        self.hosts = Set(hosts.map { $0.lowercased() })
    }

    /// Whether the `Host` of a request is one of ours. A page of a stranger's name that was made to lead to this machine
    /// (DNS rebinding) has that name; addresses cannot be made to lead anywhere.
    package func isKnown(host field: String?) -> Bool {
        guard let name = field.flatMap(Self.name)?.lowercased() else { return false }
        return name == "localhost" || hosts.contains(name) || Self.isIPv4(name) || name.hasPrefix("[")
    }

    /// Whether a request brings the token, if one is asked for.
    package func isAuthorized(_ authorization: String?) -> Bool {
        guard let token else { return true }
        guard let authorization, let space = authorization.firstIndex(of: " "),
            authorization[..<space].lowercased() == "bearer"
        else { return false }
        let given = authorization[authorization.index(after: space)...].drop { $0 == " " }
        return Self.isEqual(Array(given.utf8), token)
    }

    /// Whether a token is asked for.
    package var asksForToken: Bool { token != nil }

    // In a time that says nothing of where they differ.
    static func isEqual(_ given: [UInt8], _ expected: [UInt8]) -> Bool {
        guard !expected.isEmpty else { return false }
        var difference: UInt8 = given.count == expected.count ? 0 : 1
        for (index, byte) in given.enumerated() { difference |= byte ^ expected[index % expected.count] }
        return difference == 0
    }

    // Without the port: `name`, `name:80`, `[::1]`, `[::1]:80`.
    private static func name(_ field: String) -> String? {
        if field.hasPrefix("[") {
            guard let end = field.firstIndex(of: "]") else { return nil }
            let inside = field[field.index(after: field.startIndex)..<end]
            let isAddress = inside.contains(":") && inside.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
            let isPort = isPort(field[field.index(after: end)...])
            return isAddress && isPort ? String(field[...end]) : nil
        }
        let name = field.prefix { $0 != ":" }
        return !name.isEmpty && isPort(field[name.endIndex...]) ? String(name) : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && UInt16(text.dropFirst()) != nil)
    }

    private static func isIPv4(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { $0.count <= 3 && UInt8($0) != nil }
    }
}
