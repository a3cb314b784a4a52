// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import PasswordHash
import ShopProtos
import ShopServices
import ShopStore

/// The shop's two services in this process, each on a free port, over files in a folder that is removed at the end.
enum Shop {
    /// Runs `body` with the addresses of the user and the order service.
    ///
    /// - Parameter users: a user service of somebody else's, which the order service then asks.
    static func run(
        users stranger: Endpoint.Address? = nil,
        _ body: (_ users: Endpoint.Address, _ orders: Endpoint.Address) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shop-peers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }

        let userStore = try UserStore(path: folder.appending(path: "users.db").path, cost: .test)
        let users = try start(Users(userStore))
        let asked = UserService.Client(Channel(to: stranger ?? users.addresses[0]))
        let store = try OrderStore(path: folder.appending(path: "orders.db").path, stateDelay: .milliseconds(1))
        let changes = try store.changes()
        let orders = try start(Orders(store, changes: changes, users: asked))
        let fulfilment = Task { await Fulfilment(store, changes: changes, interval: .milliseconds(1)).run() }

        let result: Result<Void, any Error>
        do {
            result = .success(try await body(users.addresses[0], orders.addresses[0]))
        } catch {
            result = .failure(error)
        }
        fulfilment.cancel()
        await fulfilment.value
        await orders.stop(grace: .seconds(60))
        await users.stop(grace: .seconds(60))
        try result.get()
    }

    private static func start(_ service: any Service) throws -> RunningServer {
        try Server([service], interceptors: [StoreErrors()]).start(on: .host("127.0.0.1", port: 0))
    }
}
