// SPDX-License-Identifier: Apache-2.0

import GRDB
public import PasswordHash

/// The users, their password hashes and sessions, in a file that several processes share.
///
/// Safe from any thread; every method blocks its thread, those with a password for as long as a slow hash takes.
public final class UserStore: Sendable {
    private let file: StoreFile
    private let cost: ScryptCost
    private let sessionLifetime: Milliseconds
    private let clock: WallClock
    private let nobodysHash: PasswordHash

    /// Opens the file, makes it when it is missing, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - cost: what new password hashes cost.
    ///   - sessionLifetime: how long a session lasts.
    /// - Throws: ``StoreError``, `CryptoFailure`.
    public init(
        path: String, cost: ScryptCost = .standard, sessionLifetime: Duration = .seconds(24 * 3600),
        clock: WallClock = .system
    ) throws {
        file = try StoreFile(path: path, schema: UserSchema.steps)
        self.cost = cost
        self.sessionLifetime = Milliseconds(sessionLifetime / .milliseconds(1))
        self.clock = clock
        nobodysHash = try PasswordHash(of: SecretToken().text, cost: cost)
    }

    /// Registers a user. The key is committed with the user: repeated, it gives the user that it made first.
    ///
    /// - Throws: ``StoreError``: `invalid`, `usernameTaken`, `keyReused`, `busy`.
    public func register(username: String, password: String, key: String) throws -> User {
        try Limits.check(username: username)
        try Limits.check(password: password)
        try Limits.check(key: key)
        // A repeated key is mostly seen here, before the time for a hash is spent.
        if let first = try file.read({ try Account.with(key: key, in: $0) }) {
            return try repeated(first, username: username, password: password)
        }
        let hash = try PasswordHash(of: password, cost: cost)
        let (account, isNew) = try file.write { db in
            if let first = try Account.with(key: key, in: db) { return (first, false) }
            guard try Account.with(username: username, in: db) == nil else { throw StoreError.usernameTaken }
            return (try Account.insert(username: username, hash: hash, key: key, at: clock.now(), in: db), true)
        }
        return isNew ? account.user : try repeated(account, username: username, password: password)
    }

    /// Checks a password and opens a session. An unknown name takes as long as a wrong password.
    ///
    /// - Throws: ``StoreError``: `wrongCredentials`, `busy`.
    public func logIn(username: String, password: String) throws -> Session {
        let account = try file.read { try Account.with(username: username, in: $0) }
        let matches = try (account?.hash ?? nobodysHash).matches(password)
        guard let account, matches else { throw StoreError.wrongCredentials }
        let token = try SecretToken()
        let digest = try token.digest()
        let now = clock.now()
        try file.write { db in
            try db.execute(sql: "DELETE FROM sessions WHERE expires_at_ms <= ?", arguments: [now])
            try db.execute(
                sql: "INSERT INTO sessions (token_digest, user_id, expires_at_ms) VALUES (?, ?, ?)",
                arguments: [digest, account.user.id, now + sessionLifetime])
        }
        return Session(token: token.text, user: account.user)
    }

    /// The user with this id, if any.
    ///
    /// - Throws: ``StoreError``.
    public func user(id: Int64) throws -> User? {
        try file.read { db in
            try Row.fetchOne(db, sql: "SELECT id, username FROM users WHERE id = ?", arguments: [id])
                .map { User(id: $0["id"], username: $0["username"]) }
        }
    }

    /// The user whose session has this token, unless it has expired.
    ///
    /// - Throws: ``StoreError``, `CryptoFailure`.
    public func user(sessionToken: String) throws -> User? {
        let digest = try SecretToken(shown: sessionToken).digest()
        let now = clock.now()
        return try file.read { db in
            let sql = """
                SELECT id, username FROM sessions JOIN users ON users.id = user_id
                WHERE token_digest = ? AND expires_at_ms > ?
                """
            return try Row.fetchOne(db, sql: sql, arguments: [digest, now])
                .map { User(id: $0["id"], username: $0["username"]) }
        }
    }

    /// How many users are registered.
    ///
    /// - Throws: ``StoreError``.
    public func userCount() throws -> Int {
        try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM users") ?? 0 }
    }

    // The content of the first registration is compared through its slow hash: a quick digest of the password kept
    // beside the key would undo what the slow one is for.
    private func repeated(_ first: Account, username: String, password: String) throws -> User {
        guard first.user.username == username, try first.hash.matches(password) else { throw StoreError.keyReused }
        return first.user
    }
}
