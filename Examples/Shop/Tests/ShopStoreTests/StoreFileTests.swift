// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Testing

@testable import ShopStore

@Suite struct StoreFileTests {
    let folder: TemporaryFolder
    let schema = ["CREATE TABLE notes (text TEXT) STRICT; INSERT INTO notes VALUES ('first')"]

    init() throws { folder = try TemporaryFolder() }

    func notes(_ file: StoreFile) throws -> [String] {
        try file.read { try String.fetchAll($0, sql: "SELECT text FROM notes ORDER BY rowid") }
    }

    @Test(arguments: 0..<100)
    func `processes that start at once on a new file migrate it once`(round: Int) throws {
        let path = folder.file("new")
        let files = try concurrently(8) { _ in try StoreFile(path: path, schema: schema) }
        for file in files { #expect(try notes(file) == ["first"]) }
    }

    @Test func `an old file gets only the steps that it lacks`() throws {
        let path = folder.file("old")
        _ = try StoreFile(path: path, schema: schema)
        let newer = schema + ["INSERT INTO notes VALUES ('second')"]
        #expect(try notes(StoreFile(path: path, schema: newer)) == ["first", "second"])
        #expect(try notes(StoreFile(path: path, schema: newer)) == ["first", "second"])
    }

    @Test func `a file of a newer version is refused`() throws {
        let path = folder.file("newer")
        _ = try StoreFile(path: path, schema: schema + ["CREATE TABLE more (text TEXT)"])
        #expect(throws: StoreError.newerSchema(found: 2, known: 1)) { try StoreFile(path: path, schema: schema) }
    }

    @Test func `a step that fails leaves nothing behind`() throws {
        let path = folder.file("failed")
        #expect(throws: StoreError.self) { try StoreFile(path: path, schema: schema + ["nonsense"]) }
        #expect(try notes(StoreFile(path: path, schema: schema)) == ["first"])
    }

    @Test func `a transaction that throws leaves nothing behind`() throws {
        let file = try StoreFile(path: folder.file("thrown"), schema: schema)
        #expect(throws: StoreError.keyReused) {
            try file.write { db in
                try db.execute(sql: "INSERT INTO notes VALUES ('lost')")
                throw StoreError.keyReused
            }
        }
        #expect(try notes(file) == ["first"])
    }

    @Test func `a writer gives up when another process holds the lock for longer than the timeout`() throws {
        let path = folder.file("busy")
        let first = try StoreFile(path: path, schema: schema)
        let second = try StoreFile(path: path, schema: schema, busyTimeout: .zero)
        try first.write { _ in
            #expect(throws: StoreError.busy) { try second.write { _ in () } }
            let read = try notes(second)
            #expect(read == ["first"], "readers do not wait")
        }
        try second.write { _ in () }
    }

    @Test func `a file that is no database is refused with one line`() throws {
        let path = folder.file("garbage")
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: path))
        let error = try #require(throws: StoreError.self) { try StoreFile(path: path, schema: schema) }
        #expect(error.description.contains("file is not a database"))
        #expect(!error.description.contains("\n"))
    }

    @Test func `a folder that does not exist is refused with one line`() throws {
        let error = try #require(throws: StoreError.self) {
            try StoreFile(path: folder.file("none/file"), schema: schema)
        }
        #expect(error.description.contains("unable to open database file"))
    }
}
