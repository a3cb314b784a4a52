// SPDX-License-Identifier: Apache-2.0

import GRDB
import PasswordHash

/// A row of the users table.
struct Account {
    let user: User
    let hash: PasswordHash

    static func with(key: String, in db: Database) throws -> Account? {
        try fetch(db, "idempotency_key = ?", key)
    }

    static func with(username: String, in db: Database) throws -> Account? {
        try fetch(db, "username = ?", username)
    }

    static func insert(
        username: String, hash: PasswordHash, key: String, at now: Milliseconds, in db: Database
    ) throws -> Account {
        try db.execute(
            sql: "INSERT INTO users (username, password_hash, idempotency_key, created_at_ms) VALUES (?, ?, ?, ?)",
            arguments: [username, hash.description, key, now])
        return Account(user: User(id: db.lastInsertedRowID, username: username), hash: hash)
    }

    private static func fetch(_ db: Database, _ condition: String, _ argument: String) throws -> Account? {
        let sql = "SELECT id, username, password_hash FROM users WHERE \(condition)"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [argument]) else { return nil }
        let user = User(id: row["id"], username: row["username"])
        guard let hash = PasswordHash(row["password_hash"] as String) else {
            throw StoreError.damaged("the password hash of user \(user.id) cannot be read")
        }
        return Account(user: user, hash: hash)
    }
}

/// The tables of the user service's file.
enum UserSchema {
    static let steps = [
        """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            username TEXT NOT NULL UNIQUE,
            password_hash TEXT NOT NULL,
            idempotency_key TEXT NOT NULL UNIQUE,
            created_at_ms INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE sessions (
            token_digest TEXT PRIMARY KEY,
            user_id INTEGER NOT NULL REFERENCES users (id),
            expires_at_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);
        """
    ]
}
