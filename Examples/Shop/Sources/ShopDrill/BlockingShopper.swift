// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ShopProtos

/// A worker of the drill on a plain thread: the same shop without `async`, as a script or an old program calls it.
struct BlockingShopper: Sendable {
    let name: String
    let users: UserService.BlockingClient
    let orders: OrderService.BlockingClient
    let ledger: Ledger
    let hours: OpeningHours

    /// Returns when the thread has ended.
    func shop() async {
        await withCheckedContinuation { done in
            let thread = Thread {
                work()
                done.resume()
            }
            thread.name = name
            thread.start()
        }
    }

    private func work() {
        var visit = 0
        while !hours.areOver {
            visit += 1
            self.visit(Customer(shopper: name, visit: visit))
        }
    }

    private func visit(_ customer: Customer) {
        hours.restBlocking()
        let reply = ledger.countingBlocking("Register (blocking)") { try users.register(customer.registration) }
        guard let id = reply?.userId else { return }
        ledger.note { $0.registered(customer.username, as: id) }
        for number in 1...5 where !hours.areOver { place(number, customer, id) }
        if !hours.areOver { list(id) }
    }

    private func place(_ number: Int, _ customer: Customer, _ id: Int64) {
        hours.restBlocking()
        let request = customer.order(number, userID: id)
        let reply = ledger.countingBlocking("PlaceOrder (blocking)") { try orders.placeOrder(request) }
        if let order = reply?.order { ledger.note { $0.placed(customer.sku(number), as: order.id) } }
    }

    private func list(_ id: Int64) {
        hours.restBlocking()
        let request = ListOrdersRequest(userId: id, pageSize: 100)
        let reply = ledger.countingBlocking("ListOrders (blocking)") { try orders.listOrders(request) }
        guard let orders = reply?.orders else { return }
        ledger.require(orders.allSatisfy { $0.userId == id }, "a list has orders of somebody else than user \(id)")
    }
}
