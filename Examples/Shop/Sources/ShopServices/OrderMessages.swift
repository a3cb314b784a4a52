// SPDX-License-Identifier: Apache-2.0

import ShopProtos
import ShopStore

// What the store holds, as messages.

extension ShopProtos.Order {
    init(_ order: ShopStore.Order) {
        self.init(
            id: order.id, userId: order.userID, items: order.items.map(Item.init), totalCents: order.totalCents,
            state: OrderState(order.state), placedAtMs: order.placedAt)
    }
}

extension Item {
    init(_ item: OrderItem) { self.init(sku: item.sku, quantity: item.quantity, priceCents: item.priceCents) }
}

extension ShopProtos.OrderUpdate {
    init(_ update: ShopStore.OrderUpdate) {
        self.init(sequence: update.sequence, state: ShopProtos.OrderState(update.state), atMs: update.at)
    }
}

extension ShopProtos.OrderState {
    init(_ state: ShopStore.OrderState) {
        self =
            switch state {
            case .placed: .placed
            case .paid: .paid
            case .packed: .packed
            case .shipped: .shipped
            case .delivered: .delivered
            }
    }
}
