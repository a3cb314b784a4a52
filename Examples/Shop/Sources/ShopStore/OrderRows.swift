// SPDX-License-Identifier: Apache-2.0

import GRDB

extension OrderState {
    init(stored value: Int32) throws {
        guard let state = OrderState(rawValue: value) else {
            throw StoreError.damaged("\(value) is no state of an order")
        }
        self = state
    }
}

extension Order {
    static func with(key: String, userID: Int64, in db: Database) throws -> Order? {
        let sql = "SELECT * FROM orders WHERE user_id = ? AND idempotency_key = ?"
        return try Row.fetchOne(db, sql: sql, arguments: [userID, key]).map { try Order($0, in: db) }
    }

    static func page(userID: Int64, after id: Int64, limit: Int, in db: Database) throws -> [Order] {
        let sql = "SELECT * FROM orders WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?"
        return try Row.fetchAll(db, sql: sql, arguments: [userID, id, limit]).map { try Order($0, in: db) }
    }

    static func insert(
        userID: Int64, items: [OrderItem], key: String, at now: Milliseconds, due: Milliseconds, in db: Database
    ) throws -> Order {
        // No sum overflows within the limits: 100 × 10,000 × 10^9.
        let total = items.reduce(0) { $0 + Int64($1.quantity) * $1.priceCents }
        try db.execute(
            sql: """
                INSERT INTO orders (user_id, idempotency_key, total_cents, state, placed_at_ms, due_at_ms)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [userID, key, total, OrderState.placed.rawValue, now, due])
        let id = db.lastInsertedRowID
        for (line, item) in items.enumerated() { try item.insert(orderID: id, line: line, in: db) }
        try OrderUpdate.insert(.placed, orderID: id, at: now, in: db)
        return Order(id: id, userID: userID, items: items, totalCents: total, state: .placed, placedAt: now)
    }

    private init(_ row: Row, in db: Database) throws {
        let id: Int64 = row["id"]
        self.init(
            id: id, userID: row["user_id"], items: try OrderItem.of(orderID: id, in: db),
            totalCents: row["total_cents"], state: try OrderState(stored: row["state"]), placedAt: row["placed_at_ms"])
    }
}

extension OrderItem {
    static func of(orderID: Int64, in db: Database) throws -> [OrderItem] {
        let sql = "SELECT sku, quantity, price_cents FROM order_items WHERE order_id = ? ORDER BY line"
        return try Row.fetchAll(db, sql: sql, arguments: [orderID]).map {
            OrderItem(sku: $0["sku"], quantity: $0["quantity"], priceCents: $0["price_cents"])
        }
    }

    func insert(orderID: Int64, line: Int, in db: Database) throws {
        try db.execute(
            sql: "INSERT INTO order_items (order_id, line, sku, quantity, price_cents) VALUES (?, ?, ?, ?, ?)",
            arguments: [orderID, line, sku, quantity, priceCents])
    }
}

extension OrderUpdate {
    static func of(orderID: Int64, after sequence: Int32, in db: Database) throws -> [OrderUpdate] {
        let sql = "SELECT * FROM order_states WHERE order_id = ? AND sequence > ? ORDER BY sequence"
        return try Row.fetchAll(db, sql: sql, arguments: [orderID, sequence]).map {
            let state = try OrderState(stored: $0["sequence"])
            return OrderUpdate(sequence: state.rawValue, state: state, at: $0["at_ms"])
        }
    }

    static func insert(_ state: OrderState, orderID: Int64, at now: Milliseconds, in db: Database) throws {
        try db.execute(
            sql: "INSERT INTO order_states (order_id, sequence, at_ms) VALUES (?, ?, ?)",
            arguments: [orderID, state.rawValue, now])
    }
}

/// The tables of the order service's file.
enum OrderSchema {
    static let steps = [
        """
        CREATE TABLE orders (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL,
            idempotency_key TEXT NOT NULL,
            total_cents INTEGER NOT NULL,
            state INTEGER NOT NULL,
            placed_at_ms INTEGER NOT NULL,
            due_at_ms INTEGER, -- when it goes on to its next state; null after the last
            UNIQUE (user_id, idempotency_key)
        ) STRICT;
        CREATE INDEX orders_of_user ON orders (user_id, id);
        CREATE INDEX orders_due ON orders (due_at_ms) WHERE due_at_ms IS NOT NULL;
        CREATE TABLE order_items (
            order_id INTEGER NOT NULL REFERENCES orders (id),
            line INTEGER NOT NULL,
            sku TEXT NOT NULL,
            quantity INTEGER NOT NULL,
            price_cents INTEGER NOT NULL,
            PRIMARY KEY (order_id, line)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE order_states (
            order_id INTEGER NOT NULL REFERENCES orders (id),
            sequence INTEGER NOT NULL, -- also the state's number: an order skips none
            at_ms INTEGER NOT NULL,
            PRIMARY KEY (order_id, sequence)
        ) STRICT, WITHOUT ROWID;
        """
    ]
}
