// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ShopStore

@Suite struct OrderStoreTests {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let books = [
        OrderItem(sku: "book", quantity: 3, priceCents: 250), OrderItem(sku: "pen", quantity: 1, priceCents: 9),
    ]

    init() throws { folder = try TemporaryFolder() }

    /// As if it were another process: connections of its own.
    func store() throws -> OrderStore {
        try OrderStore(path: folder.file("orders"), stateDelay: .milliseconds(100), clock: clock.wall)
    }

    func states(_ orders: OrderStore, _ id: Int64) throws -> [OrderState] {
        try orders.updates(orderID: id).map(\.state)
    }

    @Test func `an order has its items, its sum and its first state`() throws {
        let orders = try store()
        let order = try orders.place(userID: 5, items: books, key: "k1")
        #expect(order.totalCents == 759)
        #expect(order.state == .placed)
        #expect(try orders.orders(userID: 5) == OrderPage(orders: [order], nextAfter: nil))
        #expect(
            try orders.updates(orderID: order.id) == [OrderUpdate(sequence: 1, state: .placed, at: clock.now)])
    }

    @Test func `a repeated key gives the first order in its present state, in another process too`() throws {
        let first = try store().place(userID: 5, items: books, key: "k1")
        clock.advance(by: 100)
        #expect(try store().advanceDueOrders() == 1)
        let again = try store().place(userID: 5, items: books, key: "k1")
        #expect(again.id == first.id)
        #expect(again.state == .paid)
        #expect(again.placedAt == first.placedAt)
        #expect(try store().orderCount() == 1)
    }

    @Test func `a key that was used for other items is refused`() throws {
        let orders = try store()
        _ = try orders.place(userID: 5, items: books, key: "k1")
        #expect(throws: StoreError.keyReused) {
            try orders.place(userID: 5, items: Array(books.reversed()), key: "k1")
        }
    }

    @Test func `another user may choose the same key`() throws {
        let orders = try store()
        let first = try orders.place(userID: 5, items: books, key: "k1")
        #expect(try orders.place(userID: 6, items: books, key: "k1").id != first.id)
    }

    @Test func `many tries of ten orders in three processes place ten orders`() throws {
        let stores = try (0..<3).map { _ in try store() }
        let placed = try concurrently(60) { index in
            try stores[index % 3].place(userID: 5, items: books, key: "k\(index % 10)").id
        }
        #expect(Set(placed).count == 10)
        for index in 0..<60 { #expect(placed[index] == placed[index % 10]) }
        #expect(try store().orderCount() == 10)
    }

    @Test func `pages give each order once, oldest first`() throws {
        let orders = try store()
        let placed = try (0..<5).map { try orders.place(userID: 5, items: books, key: "k\($0)").id }
        _ = try orders.place(userID: 6, items: books, key: "other")
        let first = try orders.orders(userID: 5, limit: 2)
        let second = try orders.orders(userID: 5, after: try #require(first.nextAfter), limit: 2)
        let third = try orders.orders(userID: 5, after: try #require(second.nextAfter), limit: 2)
        #expect((first.orders + second.orders + third.orders).map(\.id) == placed)
        #expect(third.nextAfter == nil)
        #expect(try orders.orders(userID: 7).orders.isEmpty)
    }

    @Test func `a full last page is known as the last`() throws {
        let orders = try store()
        for index in 0..<2 { _ = try orders.place(userID: 5, items: books, key: "k\(index)") }
        #expect(try orders.orders(userID: 5, limit: 2).nextAfter == nil)
    }

    @Test func `an order goes through all its states, each when its time has come`() throws {
        let orders = try store()
        let id = try orders.place(userID: 5, items: books, key: "k1").id
        clock.advance(by: 99)
        #expect(try orders.advanceDueOrders() == 0)
        clock.advance(by: 1)
        for expected in 2...OrderState.allCases.count {
            #expect(try orders.advanceDueOrders() == 1)
            #expect(try orders.advanceDueOrders() == 0)
            #expect(try states(orders, id) == Array(OrderState.allCases.prefix(expected)))
            clock.advance(by: 100)
        }
        #expect(try orders.advanceDueOrders() == 0)
    }

    @Test func `updates go on after the sequence that was seen`() throws {
        let orders = try store()
        let id = try orders.place(userID: 5, items: books, key: "k1").id
        clock.advance(by: 100)
        _ = try orders.advanceDueOrders()
        #expect(try orders.updates(orderID: id, after: 1).map(\.state) == [.paid])
        #expect(try orders.updates(orderID: id, after: 2).isEmpty)
    }

    @Test func `workers of many processes take each step once`() throws {
        let stores = try (0..<4).map { _ in try store() }
        let ids = try (0..<25).map { try stores[0].place(userID: 5, items: books, key: "k\($0)").id }
        for _ in 1..<OrderState.allCases.count {
            clock.advance(by: 100)
            let taken = try concurrently(8) { try stores[$0 % 4].advanceDueOrders() }
            #expect(taken.reduce(0, +) == ids.count)
        }
        for id in ids { #expect(try states(stores[0], id) == OrderState.allCases) }
    }

    @Test func `an unknown order has no updates to tell`() throws {
        #expect(throws: StoreError.noSuchOrder) { try store().updates(orderID: 1) }
    }

    @Test(arguments: [
        [], [OrderItem(sku: "", quantity: 1, priceCents: 1)], [OrderItem(sku: "a", quantity: 0, priceCents: 1)],
        [OrderItem(sku: "a", quantity: 10_001, priceCents: 1)], [OrderItem(sku: "a", quantity: 1, priceCents: -1)],
        [OrderItem(sku: "a", quantity: .max, priceCents: .max)],
        [OrderItem](repeating: OrderItem(sku: "a", quantity: 1, priceCents: 1), count: 101),
    ])
    func `items outside their limits are refused`(items: [OrderItem]) throws {
        let orders = try store()
        let error = try #require(throws: StoreError.self) { try orders.place(userID: 5, items: items, key: "k1") }
        guard case .invalid = error else {
            Issue.record("expected invalid, got \(error)")
            return
        }
        #expect(try orders.orderCount() == 0)
    }

    @Test func `the largest order that the limits allow has its sum`() throws {
        let item = OrderItem(sku: "yacht", quantity: 10_000, priceCents: 1_000_000_000)
        let order = try store().place(userID: 5, items: [OrderItem](repeating: item, count: 100), key: "k1")
        #expect(order.totalCents == 1_000_000_000_000_000)
    }
}
