// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ShopStore

@Suite struct FileChangesTests {
    let folder: TemporaryFolder
    let items = [OrderItem(sku: "book", quantity: 1, priceCents: 1)]

    init() throws { folder = try TemporaryFolder() }

    func store() throws -> OrderStore { try OrderStore(path: folder.file("orders")) }

    /// Waits in a task of its own, and returns when it does wait.
    func waiter(_ changes: FileChanges, after seen: Int) async throws -> Task<Int, any Error> {
        let before = changes.waiterCount
        let task = Task { try await changes.next(after: seen) }
        while changes.waiterCount == before { await Task.yield() }
        return task
    }

    @Test func `a write of another process wakes all who wait`() async throws {
        let changes = try store().changes()
        let seen = changes.version
        let waiters = [try await waiter(changes, after: seen), try await waiter(changes, after: seen)]
        _ = try store().place(userID: 1, items: items, key: "k")
        try changes.look()
        for waiter in waiters { #expect(try await waiter.value != seen) }
        #expect(changes.waiterCount == 0)
    }

    @Test func `a write of the same store wakes too`() async throws {
        let orders = try store()
        let changes = try orders.changes()
        let waiter = try await waiter(changes, after: changes.version)
        _ = try orders.place(userID: 1, items: items, key: "k")
        try changes.look()
        #expect(try await waiter.value == changes.version)
    }

    @Test func `without a write nobody wakes`() async throws {
        let orders = try store()
        let changes = try orders.changes()
        let waiter = try await waiter(changes, after: changes.version)
        _ = try orders.orders(userID: 1)
        for _ in 0..<3 { try changes.look() }
        #expect(changes.waiterCount == 1)
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        #expect(changes.waiterCount == 0)
    }

    @Test func `a change that was found before is not waited for`() async throws {
        let orders = try store()
        let changes = try orders.changes()
        let seen = changes.version
        _ = try orders.place(userID: 1, items: items, key: "k")
        try changes.look()
        #expect(try await changes.next(after: seen) == changes.version)
    }

    @Test func `a cancelled task does not begin to wait`() async throws {
        let changes = try store().changes()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await changes.next(after: changes.version)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(changes.waiterCount == 0)
    }

    @Test func `the looking ends with its task`() async throws {
        let orders = try store()
        let changes = try orders.changes()
        let looking = Task { await changes.look(every: .milliseconds(1)) }
        let waiter = try await waiter(changes, after: changes.version)
        _ = try orders.place(userID: 1, items: items, key: "k")
        #expect(try await waiter.value == changes.version)
        looking.cancel()
        await looking.value
    }

    @Test func `a file that is not there is refused`() throws {
        #expect(throws: StoreError.self) { try FileChanges(path: folder.file("none")) }
    }
}
