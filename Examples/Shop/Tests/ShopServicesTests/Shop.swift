// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import PasswordHash
import ShopProtos
import ShopStore
import Synchronization
import Testing

@testable import ShopServices

/// Both services in this process: real HTTP/2 in memory, real databases in a folder that goes with the shop.
final class Shop {
    /// The time of day of both stores; it stands until a test turns it.
    final class Clock: Sendable {
        private let time = Mutex<Milliseconds>(1_000_000)
        var wall: WallClock { WallClock { self.time.withLock { $0 } } }
        func advance(by milliseconds: Milliseconds) { time.withLock { $0 += milliseconds } }
    }

    let users: UserService.Client
    let orders: OrderService.Client
    let orderStore: OrderStore
    let changes: FileChanges
    let clock = Clock()
    let userServer: RunningServer
    let orderServer: RunningServer

    private let network = InMemoryNetwork()
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "shop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let userStore = try UserStore(path: folder.appending(path: "users").path(), cost: .test, clock: clock.wall)
        orderStore = try OrderStore(path: folder.appending(path: "orders").path(), clock: clock.wall)
        changes = try orderStore.changes()
        let errors = StoreErrors { _ in }
        userServer = try network.start(Server([Users(userStore)], interceptors: [errors]), as: "users")
        users = UserService.Client(Self.channel(to: "users", in: network))
        let service = Orders(orderStore, changes: changes, users: users)
        orderServer = try network.start(Server([service], interceptors: [errors]), as: "orders")
        orders = OrderService.Client(Self.channel(to: "orders", in: network))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func register(_ name: String = "ada", password: String = "long enough", key: String = "k") async throws -> Int64 {
        try await users.register(.init(username: name, password: password, idempotencyKey: key)).userId
    }

    func place(_ user: Int64, sku: String = "tea", key: String = "k") async throws -> ShopProtos.Order {
        let request = PlaceOrderRequest(userId: user, items: [Self.item(sku)], idempotencyKey: key)
        return try #require(try await orders.placeOrder(request).order)
    }

    func orderCount() throws -> Int { try orderStore.orderCount() }

    /// Handlers and watches that have not ended.
    var unfinished: Int { orderServer.counts.handlers + changes.waiterCount }

    /// Brings the order to its next state, as the worker of any process would.
    func advance() throws {
        clock.advance(by: 300)
        _ = try orderStore.advanceDueOrders()
        try changes.look()
    }

    static func item(_ sku: String) -> Item { Item(sku: sku, quantity: 2, priceCents: 150) }

    private static func channel(to name: String, in network: InMemoryNetwork) -> Channel {
        Channel(
            name, interceptors: [Deadline.inherited, PinnedEndpoint(Endpoint(.memory(name)))],
            transport: network.transport())
    }
}

/// The code with which `body` failed; nil when it did not.
func code(_ body: () async throws -> some Any) async -> Status.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return RPCError(wrapping: error).code
    }
}

/// Runs `body` on a thread that is nobody's.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { done in
        Thread.detachNewThread { done.resume(with: Result { try body() }) }
    }
}
