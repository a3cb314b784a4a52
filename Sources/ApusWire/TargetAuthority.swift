// SPDX-License-Identifier: Apache-2.0

/// What a channel's target says in `:authority`: the name without its scheme. Source: gRPC Name Resolution; RFC 3986,
/// section 3.2.
package enum TargetAuthority {
    private static let thisMachine = "localhost"

    /// `users` and `users.example:50051` are names already; `dns:///users.example`, `dns://8.8.8.8/users.example` and
    /// `dns:users.example` name `users.example`; a socket's path is on this machine: `localhost`.
    package static func name(of target: String) -> String {
        if target.hasPrefix("unix:") || target.hasPrefix("unix-abstract:") { return thisMachine }
        if target.utf8.contains(UInt8(ascii: "/")) { return name(ofPath: target) }
        return target.hasPrefix("dns:") ? String(target.dropFirst(4)) : target
    }

    private static func name(ofPath target: String) -> String {
        guard let colon = target.firstIndex(of: ":"), target[colon...].hasPrefix("://") else { return thisMachine }
        let rest = target[colon...].dropFirst(3)
        let name = rest.firstIndex(of: "/").map { rest[rest.index(after: $0)...] } ?? rest
        return name.isEmpty || name.contains("/") ? thisMachine : String(name)
    }
}
