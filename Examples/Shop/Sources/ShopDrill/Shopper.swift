// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos

/// One worker of the drill: visits the shop as one customer after the other, with async calls of all four kinds.
struct Shopper: Sendable {
    let name: String
    let users: UserService.Client
    let orders: OrderService.Client
    let ledger: Ledger
    let hours: OpeningHours

    private static let singleOrders = 1...6
    private static let importedOrders = 7...9

    func shop() async {
        var visit = 0
        while !hours.areOver {
            visit += 1
            await self.visit(Customer(shopper: name, visit: visit))
        }
    }

    private func visit(_ customer: Customer) async {
        guard let id = await register(customer) else { return }
        await logIn(customer, id)
        // The watches go on while the customer does; a visit ends with the last of them.
        await withTaskGroup { watches in
            for number in Self.singleOrders where !hours.areOver {
                guard let order = await place(number, customer, id) else { continue }
                if number % 3 == 1 { watches.addTask { await Watch(order, orders, ledger).follow() } }
                if number % 2 == 0 { await look(customer, id) }
            }
            if !hours.areOver { await askPrices(customer) }
            if !hours.areOver { await importAndList(customer, id) }
        }
    }

    private func register(_ customer: Customer) async -> Int64? {
        await hours.rest()
        let reply = await ledger.counting("Register") { try await users.register(customer.registration) }
        guard let reply else { return nil }
        ledger.note { $0.registered(customer.username, as: reply.userId) }
        return reply.userId
    }

    private func logIn(_ customer: Customer, _ id: Int64) async {
        await hours.rest()
        guard let reply = await ledger.counting("Login", { try await users.login(customer.login) }) else { return }
        ledger.require(reply.user?.id == id && !reply.sessionToken.isEmpty, "\(customer.username) logged in as another")
    }

    private func look(_ customer: Customer, _ id: Int64) async {
        await hours.rest()
        let reply = await ledger.counting("GetUser") { try await users.getUser(GetUserRequest(userId: id)) }
        guard let reply else { return }
        ledger.require(reply.user?.username == customer.username, "user \(id) is not \(customer.username)")
    }

    private func place(_ number: Int, _ customer: Customer, _ id: Int64) async -> Int64? {
        await hours.rest()
        let request = customer.order(number, userID: id)
        let reply = await ledger.counting("PlaceOrder") { try await orders.placeOrder(request) }
        guard let order = reply?.order else { return nil }
        ledger.note { $0.placed(customer.sku(number), as: order.id) }
        return order.id
    }

    private func askPrices(_ customer: Customer) async {
        await hours.rest()
        await Quotation(sku: customer.sku(1), orders, ledger).ask()
    }

    /// Imports some orders, and reads in the list of all which ids they got.
    private func importAndList(_ customer: Customer, _ id: Int64) async {
        await hours.rest()
        let summary = await ledger.counting("ImportOrders") {
            try await orders.importOrders { requests in
                for number in Self.importedOrders { try await requests.write(customer.order(number, userID: id)) }
            }
        }
        ledger.require(
            summary.map { Int($0.placed) == Self.importedOrders.count } ?? true, "an import of \(customer.username)")
        for order in await list(id) { ledger.note { $0.placed(order.items.first?.sku ?? "", as: order.id) } }
    }

    private func list(_ id: Int64) async -> [Order] {
        var found: [Order] = []
        var request = ListOrdersRequest(userId: id, pageSize: 5)
        repeat {
            await hours.rest()
            let reply = await ledger.counting("ListOrders") { [request] in try await orders.listOrders(request) }
            found += reply?.orders ?? []
            request.pageToken = reply?.nextPageToken ?? ""
        } while !request.pageToken.isEmpty
        return found
    }
}
