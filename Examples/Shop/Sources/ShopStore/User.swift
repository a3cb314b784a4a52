// SPDX-License-Identifier: Apache-2.0

/// A registered user.
public struct User: Sendable, Hashable {
    /// Unique, positive, never used again.
    public let id: Int64
    /// Unique.
    public let username: String
}

/// A session that a login opened.
public struct Session: Sendable, Hashable {
    /// The secret that its holder shows.
    public let token: String
    /// Who logged in.
    public let user: User
}
