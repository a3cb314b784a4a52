// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Why a store refused or failed.
public enum StoreError: Error, Equatable {
    /// An argument is outside its limits; the text says which.
    case invalid(String)
    /// Somebody else has this username.
    case usernameTaken
    /// The idempotency key was used before, for something else.
    case keyReused
    /// No such user, or not the user's password.
    case wrongCredentials
    /// There is no order with this id.
    case noSuchOrder
    /// Other processes kept the file locked for longer than the busy timeout.
    case busy
    /// The file was written by a newer version of this program.
    case newerSchema(found: Int, known: Int)
    /// The file holds what this program never wrote.
    case damaged(String)
    /// SQLite or the disk failed.
    case failed(String)
}

extension StoreError: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .invalid(let what): what
        case .usernameTaken: "the username is taken"
        case .keyReused: "the idempotency key was used before, with other content"
        case .wrongCredentials: "unknown username or wrong password"
        case .noSuchOrder: "there is no such order"
        case .busy: "the database is busy: try again"
        case .newerSchema(let found, let known): "the database has schema \(found), this program knows up to \(known)"
        case .damaged(let what): "the database is damaged: \(what)"
        case .failed(let what): "the database failed: \(what)"
        }
    }
}

extension StoreError {
    /// GRDB's errors as ours; others as they are.
    static func translating(_ error: any Error) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        return error.resultCode == .SQLITE_BUSY ? StoreError.busy : StoreError.failed("\(error)")
    }
}
