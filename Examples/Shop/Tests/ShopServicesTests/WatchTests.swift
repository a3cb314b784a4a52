// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos
import Testing

@testable import ShopServices

@Suite struct WatchTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    func watch(_ order: Order, after sequence: Int32 = 0) async throws -> ResponseStream<ProtobufCodec<OrderUpdate>> {
        try await shop.orders.watchOrder(.init(orderId: order.id, afterStateSequence: sequence))
    }

    @Test func `a watch tells past states at once, new ones when they come, and ends after the last`() async throws {
        let order = try await shop.place(try await shop.register())
        try shop.advance()
        let updates = try await watch(order)
        #expect(try await updates.next()?.state == .placed)
        #expect(try await updates.next()?.state == .paid)
        for state in [OrderState.packed, .shipped, .delivered] {
            try shop.advance()
            #expect(try await updates.next()?.state == state)
        }
        #expect(try await updates.next() == nil)
    }

    @Test func `a watch goes on after the state that was seen last`() async throws {
        let order = try await shop.place(try await shop.register())
        for _ in 1...3 { try shop.advance() }
        let updates = try await watch(order, after: 3)
        #expect(try await updates.next()?.sequence == 4)
        try shop.advance()
        #expect(try await updates.next()?.sequence == 5)
        #expect(try await updates.next() == nil)
    }

    @Test func `a watch of a delivered order that was seen to its end is empty`() async throws {
        let order = try await shop.place(try await shop.register())
        for _ in 1...4 { try shop.advance() }
        #expect(try await watch(order, after: 5).next() == nil)
        #expect(try await watch(order, after: .max).next() == nil)
    }

    @Test func `an order that does not exist cannot be watched`() async throws {
        #expect(await code { try await shop.orders.watchOrder(.init(orderId: 7)).next() } == .notFound)
    }

    @Test func `more watches than threads wait at once`() async throws {
        let order = try await shop.place(try await shop.register())
        var watches: [ResponseStream<ProtobufCodec<OrderUpdate>>] = []
        for _ in 1...20 { watches.append(try await watch(order, after: 1)) }
        try shop.advance()
        for updates in watches { #expect(try await updates.next()?.state == .paid) }
    }

    @Test func `a watch that is dropped ends its handler`() async throws {
        let order = try await shop.place(try await shop.register())
        var updates: ResponseStream? = try await watch(order, after: 1)
        #expect(shop.orderServer.counts.handlers == 1)
        updates?.cancel()
        updates = nil
        while shop.unfinished > 0 { await Task.yield() }
    }

    @Test func `the worker brings orders forward and wakes watches`() async throws {
        let order = try await shop.place(try await shop.register())
        let updates = try await watch(order, after: 1)
        let fulfilment = Fulfilment(shop.orderStore, changes: shop.changes, interval: .milliseconds(1)) { _ in }
        let work = Task { await fulfilment.run() }
        for state in [OrderState.paid, .packed, .shipped, .delivered] {
            shop.clock.advance(by: 300)
            #expect(try await updates.next()?.state == state)
        }
        work.cancel()
        await work.value
    }
}
