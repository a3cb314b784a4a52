// SPDX-License-Identifier: Apache-2.0

import GRDB
import PasswordHash
import Testing

@testable import ShopStore

@Suite struct UserStoreTests {
    let folder: TemporaryFolder
    let clock = ManualClock()

    init() throws { folder = try TemporaryFolder() }

    /// As if it were another process: connections of its own.
    func store() throws -> UserStore {
        try UserStore(
            path: folder.file("users"), cost: .test, sessionLifetime: .milliseconds(1000), clock: clock.wall)
    }

    @Test func `a registered user is found by id and logs in`() throws {
        let users = try store()
        let ada = try users.register(username: "ada", password: "difference", key: "k1")
        #expect(try users.user(id: ada.id) == User(id: ada.id, username: "ada"))
        let session = try users.logIn(username: "ada", password: "difference")
        #expect(session.user == ada)
        #expect(try store().user(sessionToken: session.token) == ada)
    }

    @Test func `an unknown id and an unknown token find nobody`() throws {
        #expect(try store().user(id: 7) == nil)
        #expect(try store().user(sessionToken: "guess") == nil)
    }

    @Test func `a wrong password and an unknown name are refused alike`() throws {
        let users = try store()
        _ = try users.register(username: "ada", password: "difference", key: "k1")
        #expect(throws: StoreError.wrongCredentials) { try users.logIn(username: "ada", password: "analytical") }
        #expect(throws: StoreError.wrongCredentials) { try users.logIn(username: "bob", password: "difference") }
    }

    @Test func `a session ends with its time`() throws {
        let users = try store()
        let ada = try users.register(username: "ada", password: "difference", key: "k1")
        let token = try users.logIn(username: "ada", password: "difference").token
        clock.advance(by: 999)
        #expect(try users.user(sessionToken: token) == ada)
        clock.advance(by: 1)
        #expect(try users.user(sessionToken: token) == nil)
    }

    @Test func `a repeated key gives the first user, in another process too`() throws {
        let ada = try store().register(username: "ada", password: "difference", key: "k1")
        #expect(try store().register(username: "ada", password: "difference", key: "k1") == ada)
        #expect(try store().userCount() == 1)
    }

    @Test func `a key that was used with another name or password is refused`() throws {
        let users = try store()
        _ = try users.register(username: "ada", password: "difference", key: "k1")
        #expect(throws: StoreError.keyReused) {
            try users.register(username: "bob", password: "difference", key: "k1")
        }
        #expect(throws: StoreError.keyReused) {
            try users.register(username: "ada", password: "analytical", key: "k1")
        }
        #expect(try users.userCount() == 1)
    }

    @Test func `a taken name is refused, and its key stays free`() throws {
        let users = try store()
        _ = try users.register(username: "ada", password: "difference", key: "k1")
        #expect(throws: StoreError.usernameTaken) {
            try users.register(username: "ada", password: "difference", key: "k2")
        }
        #expect(try users.register(username: "bob", password: "difference", key: "k2").username == "bob")
    }

    @Test func `many tries of one registration in two processes make one user`() throws {
        let stores = [try store(), try store()]
        let made = try concurrently(40) { index in
            try stores[index % 2].register(username: "ada", password: "difference", key: "k1")
        }
        #expect(Set(made).count == 1)
        #expect(try store().userCount() == 1)
    }

    @Test func `of many who want one name one gets it`() throws {
        let stores = [try store(), try store()]
        let outcomes = try concurrently(20) { index in
            do {
                _ = try stores[index % 2].register(username: "ada", password: "difference", key: "k\(index)")
                return StoreError?.none
            } catch let error as StoreError {
                return error
            }
        }
        #expect(outcomes.count { $0 == nil } == 1)
        #expect(outcomes.count { $0 == .usernameTaken } == 19)
        #expect(try store().userCount() == 1)
    }

    @Test func `a stored password hash that is damaged is reported`() throws {
        let users = try store()
        _ = try users.register(username: "ada", password: "difference", key: "k1")
        let file = try StoreFile(path: folder.file("users"), schema: UserSchema.steps)
        try file.write { try $0.execute(sql: "UPDATE users SET password_hash = 'x'") }
        #expect(throws: StoreError.damaged("the password hash of user 1 cannot be read")) {
            try users.logIn(username: "ada", password: "difference")
        }
    }

    @Test(arguments: [
        ("ab", "difference", "k"), ("Ada", "difference", "k"), ("a b", "difference", "k"), ("ada", "short", "k"),
        ("ada", "difference", ""), (String(repeating: "a", count: 65), "difference", "k"), ("ädä", "difference", "k"),
        ("ada", String(repeating: "p", count: 1025), "k"), ("ada", "difference", String(repeating: "k", count: 129)),
    ])
    func `a field outside its limits is refused`(username: String, password: String, key: String) throws {
        let users = try store()
        let error = try #require(throws: StoreError.self) {
            try users.register(username: username, password: password, key: key)
        }
        guard case .invalid = error else {
            Issue.record("expected invalid, got \(error)")
            return
        }
        #expect(try users.userCount() == 0)
    }
}
