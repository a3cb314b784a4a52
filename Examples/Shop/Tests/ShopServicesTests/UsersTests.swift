// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos
import Testing

@Suite struct UsersTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    @Test func `a user registers, logs in and is found`() async throws {
        let id = try await shop.register("ada")
        let login = try await shop.users.login(.init(username: "ada", password: "long enough"))
        #expect(login.user == User(id: id, username: "ada"))
        #expect(login.sessionToken.count == 64)
        #expect(try await shop.users.getUser(.init(userId: id)).user?.username == "ada")
    }

    @Test func `the same key registers once`() async throws {
        let first = try await shop.register("ada", key: "once")
        #expect(try await shop.register("ada", key: "once") == first)
        #expect(await code { try await shop.register("bob", key: "once") } == .failedPrecondition)
        #expect(
            await code { try await shop.register("ada", password: "another one", key: "once") } == .failedPrecondition)
    }

    @Test func `a name is taken once`() async throws {
        _ = try await shop.register("ada", key: "one")
        #expect(await code { try await shop.register("ada", key: "two") } == .alreadyExists)
    }

    @Test func `a wrong password and an unknown name are told apart by nobody`() async throws {
        _ = try await shop.register("ada")
        var errors: [RPCError] = []
        for (name, password) in [("ada", "wrong password"), ("bob", "long enough")] {
            do throws(RPCError) {
                _ = try await shop.users.login(.init(username: name, password: password))
            } catch {
                errors.append(error)
            }
        }
        #expect(errors.map(\.code) == [.unauthenticated, .unauthenticated])
        #expect(errors.first?.status == errors.last?.status)
    }

    @Test func `what is outside of its limits is refused`() async throws {
        #expect(await code { try await shop.register("A") } == .invalidArgument)
        #expect(await code { try await shop.register("ada", password: "short") } == .invalidArgument)
        #expect(await code { try await shop.register("ada", key: "") } == .invalidArgument)
    }

    @Test func `a user who does not exist is not found`() async throws {
        #expect(await code { try await shop.users.getUser(.init(userId: 7)) } == .notFound)
    }

    @Test func `many registrations at once are all answered`() async throws {
        let ids = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 1...40 {
                group.addTask { [users = shop.users] in
                    let request = RegisterRequest(
                        username: "user-\(number % 20)", password: "long enough", idempotencyKey: "key-\(number % 20)")
                    return try await users.register(request).userId
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ids.count == 40)
        #expect(Set(ids).count == 20)
    }

    @Test func `a blocking call from a plain thread is answered`() async throws {
        let id = try await shop.register("ada")
        let name = try await onThread { [users = shop.users.blocking] in
            try users.getUser(.init(userId: id)).user?.username
        }
        #expect(name == "ada")
    }
}
