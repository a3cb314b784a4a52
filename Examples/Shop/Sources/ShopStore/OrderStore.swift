// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The orders and their states, in a file that several processes share.
///
/// Safe from any thread; every method blocks its thread.
public final class OrderStore: Sendable {
    private let file: StoreFile
    private let stateDelay: Milliseconds
    private let clock: WallClock

    /// Opens the file, makes it when it is missing, and brings its schema up to date.
    ///
    /// - Parameter stateDelay: how long an order stays in each state but the last.
    /// - Throws: ``StoreError``.
    public init(path: String, stateDelay: Duration = .milliseconds(300), clock: WallClock = .system) throws {
        file = try StoreFile(path: path, schema: OrderSchema.steps)
        self.stateDelay = Milliseconds(stateDelay / .milliseconds(1))
        self.clock = clock
    }

    /// A watch on the file, which tells when any process wrote.
    ///
    /// - Throws: ``StoreError``.
    public func changes() throws -> FileChanges { try FileChanges(path: file.path) }

    /// Places an order. The key is committed with the order: repeated by the same user, it gives the order that it
    /// made first, in its present state.
    ///
    /// - Throws: ``StoreError``: `invalid`, `keyReused`, `busy`.
    public func place(userID: Int64, items: [OrderItem], key: String) throws -> Order {
        try Limits.check(items: items)
        try Limits.check(key: key)
        return try file.write { db in
            let now = clock.now()
            guard let first = try Order.with(key: key, userID: userID, in: db) else {
                return try Order.insert(userID: userID, items: items, key: key, at: now, due: now + stateDelay, in: db)
            }
            guard first.items == items else { throw StoreError.keyReused }
            return first
        }
    }

    /// A user's orders, oldest first.
    ///
    /// - Parameters:
    ///   - after: the last order of the page before; 0 for the first page.
    ///   - limit: how many at most, 1 to 100.
    /// - Throws: ``StoreError``: `invalid`, `busy`.
    public func orders(userID: Int64, after: Int64 = 0, limit: Int = 20) throws -> OrderPage {
        try Limits.require(Limits.page.contains(limit), "a page has 1 to 100 orders")
        return try file.read { db in
            let orders = try Order.page(userID: userID, after: after, limit: limit + 1, in: db)
            let page = Array(orders.prefix(limit))
            return OrderPage(orders: page, nextAfter: orders.count > limit ? page.last?.id : nil)
        }
    }

    /// The states that an order reached after the one with this sequence number.
    ///
    /// - Throws: ``StoreError``: `noSuchOrder`, `busy`.
    public func updates(orderID: Int64, after sequence: Int32 = 0) throws -> [OrderUpdate] {
        try file.read { db in
            let exists = "SELECT EXISTS (SELECT 1 FROM orders WHERE id = ?)"
            guard try Bool.fetchOne(db, sql: exists, arguments: [orderID]) == true else { throw StoreError.noSuchOrder }
            return try OrderUpdate.of(orderID: orderID, after: sequence, in: db)
        }
    }

    /// Brings the orders whose time has come to their next state. Any number of processes may do so at once: each
    /// step of an order is taken once.
    ///
    /// - Parameter limit: how many orders at most, so that the file is not locked for long.
    /// - Returns: how many orders this call brought forward.
    /// - Throws: ``StoreError``.
    public func advanceDueOrders(limit: Int = 100) throws -> Int {
        let now = clock.now()
        // Read first: a worker with nothing to do takes no lock.
        let due = try file.read { db in
            let sql = "SELECT id, state FROM orders WHERE due_at_ms <= ? ORDER BY due_at_ms LIMIT ?"
            return try Row.fetchAll(db, sql: sql, arguments: [now, limit]).map {
                (id: $0["id"] as Int64, state: try OrderState(stored: $0["state"]))
            }
        }
        guard !due.isEmpty else { return 0 }
        return try file.write { db in
            try due.count { try advance(orderID: $0.id, from: $0.state, at: now, in: db) }
        }
    }

    /// How many orders have been placed.
    ///
    /// - Throws: ``StoreError``.
    public func orderCount() throws -> Int {
        try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM orders") ?? 0 }
    }

    private func advance(orderID: Int64, from old: OrderState, at now: Milliseconds, in db: Database) throws -> Bool {
        guard let new = old.next else { throw StoreError.damaged("delivered order \(orderID) is due") }
        try db.execute(
            sql: "UPDATE orders SET state = ?, due_at_ms = ? WHERE id = ? AND state = ?",
            arguments: [new.rawValue, new.next == nil ? nil : now + stateDelay, orderID, old.rawValue])
        guard db.changesCount == 1 else { return false }
        try OrderUpdate.insert(new, orderID: orderID, at: now, in: db)
        return true
    }
}
