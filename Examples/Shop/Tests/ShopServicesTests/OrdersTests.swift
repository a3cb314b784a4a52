// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopCatalog
import ShopProtos
import ShopServices
import Testing

@Suite struct OrdersTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    @Test func `a registered user's order is placed and listed`() async throws {
        let user = try await shop.register()
        let order = try await shop.place(user)
        #expect(order.state == .placed)
        #expect(order.totalCents == 300)
        #expect(order.items == [Shop.item("tea")])
        #expect(try await shop.orders.listOrders(.init(userId: user)).orders == [order])
    }

    @Test func `the same key places one order`() async throws {
        let user = try await shop.register()
        let first = try await shop.place(user, key: "once")
        #expect(try await shop.place(user, key: "once") == first)
        #expect(await code { try await shop.place(user, sku: "other", key: "once") } == .failedPrecondition)
        #expect(try shop.orderCount() == 1)
    }

    @Test func `somebody who is no user cannot order`() async throws {
        #expect(await code { try await shop.place(99) } == .notFound)
        #expect(try shop.orderCount() == 0)
    }

    @Test func `without a user service no order is placed, and a client may try again`() async throws {
        let user = try await shop.register()
        shop.userServer.stopNow()
        await shop.userServer.waitUntilStopped()
        #expect(await code { try await shop.place(user) } == .unavailable)
        #expect(try shop.orderCount() == 0)
    }

    @Test func `an order without items is refused`() async throws {
        let user = try await shop.register()
        let request = PlaceOrderRequest(userId: user, idempotencyKey: "k")
        #expect(await code { try await shop.orders.placeOrder(request) } == .invalidArgument)
    }

    @Test func `a list comes page by page`() async throws {
        let user = try await shop.register()
        var placed: [Order] = []
        for number in 1...5 { placed.append(try await shop.place(user, key: "\(number)")) }
        var (listed, request): ([Order], ListOrdersRequest) = ([], .init(userId: user, pageSize: 2))
        repeat {
            let page = try await shop.orders.listOrders(request)
            #expect(page.orders.count <= 2)
            listed += page.orders
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        #expect(listed == placed)
    }

    @Test(arguments: ["x", "-1", " 1"])
    func `a page token that nobody gave is refused`(token: String) async throws {
        let request = ListOrdersRequest(userId: 1, pageToken: token)
        #expect(await code { try await shop.orders.listOrders(request) } == .invalidArgument)
    }

    @Test func `a page of too many orders is refused`() async throws {
        #expect(await code { try await shop.orders.listOrders(.init(userId: 1, pageSize: 101)) } == .invalidArgument)
        #expect(await code { try await shop.orders.listOrders(.init(userId: 1, pageSize: -1)) } == .invalidArgument)
    }

    @Test func `an import places what can be placed and counts the rest`() async throws {
        let user = try await shop.register()
        let good = PlaceOrderRequest(userId: user, items: [Shop.item("tea")], idempotencyKey: "a")
        let empty = PlaceOrderRequest(userId: user, idempotencyKey: "b")
        let nobodys = PlaceOrderRequest(userId: 99, items: [Shop.item("tea")], idempotencyKey: "c")
        let summary = try await shop.orders.importOrders { requests in
            for request in [good, empty, nobodys, good] { try await requests.write(request) }
        }
        #expect(summary.placed == 2)
        #expect(summary.refused == 2)
        #expect(summary.firstRefusal == "an order has 1 to 100 items")
        #expect(summary.totalCents == 600)
        #expect(try shop.orderCount() == 1)
    }

    @Test func `each question about a price is answered as it comes`() async throws {
        let call = shop.orders.quote()
        try await call.requests.write(.init(sku: "tea", quantity: 1))
        let replies = try await call.responses()
        #expect(try await replies.next()?.totalCents == PriceList.priceCents(sku: "tea"))
        try await call.requests.write(.init(sku: "tea", quantity: 3))
        #expect(try await replies.next()?.totalCents == 3 * PriceList.priceCents(sku: "tea"))
        call.requests.finish()
        #expect(try await replies.next() == nil)
    }

    @Test(arguments: [
        ("", Int32(1)), ("tea", Int32(0)), ("tea", Int32(10_001)), (String(repeating: "x", count: 65), Int32(1)),
    ])
    func `a question that makes no sense ends the conversation`(sku: String, quantity: Int32) async throws {
        let call = shop.orders.quote()
        try await call.requests.write(.init(sku: sku, quantity: quantity))
        #expect(await code { try await call.responses().next() } == .invalidArgument)
    }
}
