// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// One SQLite file that the processes of a service share: readers never wait (WAL), writers wait for each other.
///
/// Safe from any thread; every method blocks its thread.
final class StoreFile: Sendable {
    let path: String
    private let pool: DatabasePool

    /// Opens the file, makes it when it is missing, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - schema: SQL scripts, the n-th of which leads from schema n - 1 to schema n. Published ones never change.
    ///   - busyTimeout: how long to wait for other processes.
    /// - Throws: `StoreError`.
    init(path: String, schema: [String], busyTimeout: Duration = .seconds(5)) throws {
        self.path = path
        pool = try Self.open(path, busyTimeout: busyTimeout)
        try write { try Self.migrate($0, to: schema) }
    }

    /// Reads one unchanging state of the file.
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw StoreError.translating(error)
        }
    }

    /// Runs a transaction that nobody else writes meanwhile: all of it is committed, or nothing when `body` throws.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try pool.writeWithoutTransaction { db in
                var value: Value?
                // A deferred transaction that reads first could not become a writer once another process wrote:
                // SQLITE_BUSY_SNAPSHOT, without waiting. IMMEDIATE waits at its start.
                try db.inTransaction(.immediate) {
                    value = try body(db)
                    return .commit
                }
                guard let value else { throw StoreError.failed("a transaction ended without a value") }
                return value
            }
        } catch {
            throw StoreError.translating(error)
        }
    }

    private static func open(_ path: String, busyTimeout: Duration) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout / .seconds(1))
        let deadline = ContinuousClock.now + busyTimeout
        while true {
            do {
                return try DatabasePool(path: path, configuration: configuration)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && .now < deadline {
                // While another process turns WAL on, SQLite refuses without calling its busy handler, some once in 100 times.
                Thread.sleep(forTimeInterval: 0.005)
            } catch {
                throw StoreError.translating(error)
            }
        }
    }

    // The version is read inside of the transaction: of several processes that start at once, one migrates.
    private static func migrate(_ db: Database, to schema: [String]) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard (0...schema.count).contains(found) else {
            throw StoreError.newerSchema(found: found, known: schema.count)
        }
        for step in schema[found...] { try db.execute(sql: step) }
        try db.execute(sql: "PRAGMA user_version = \(schema.count)")
    }
}
