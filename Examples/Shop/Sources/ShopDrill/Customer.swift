// SPDX-License-Identifier: Apache-2.0

import ShopProtos

/// A customer of the drill: name, keys and articles are nobody else's.
struct Customer: Sendable {
    let username: String

    init(shopper: String, visit: Int) { username = "\(shopper)-\(visit)" }

    var registration: RegisterRequest {
        RegisterRequest(username: username, password: password, idempotencyKey: "register-\(username)")
    }

    var login: LoginRequest { LoginRequest(username: username, password: password) }

    private var password: String { "the secret of \(username)" }

    /// The customer's order with this number: one article that nobody else orders.
    func order(_ number: Int, userID: Int64) -> PlaceOrderRequest {
        let item = Item(sku: sku(number), quantity: Int32(1 + number % 3), priceCents: 999)
        return PlaceOrderRequest(userId: userID, items: [item], idempotencyKey: "order-\(number)")
    }

    func sku(_ number: Int) -> String { "\(username)-\(number)" }
}
