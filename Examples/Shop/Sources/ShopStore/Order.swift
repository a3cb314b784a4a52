// SPDX-License-Identifier: Apache-2.0

/// What an order goes through, one state after the other; the raw value is the state's sequence number.
public enum OrderState: Int32, Sendable, CaseIterable {
    /// The order was taken.
    case placed = 1
    /// The money is there.
    case paid
    /// The parcel is closed.
    case packed
    /// The parcel is on its way.
    case shipped
    /// The parcel has arrived.
    case delivered

    /// The state that follows; nil after the last.
    public var next: OrderState? { OrderState(rawValue: rawValue + 1) }

    /// The state after which nothing more happens.
    public static let last = OrderState.delivered
}

/// One line of an order.
public struct OrderItem: Sendable, Hashable {
    /// The article.
    public let sku: String
    /// How many of it.
    public let quantity: Int32
    /// The price of one in cents.
    public let priceCents: Int64

    /// A line.
    public init(sku: String, quantity: Int32, priceCents: Int64) {
        self.sku = sku
        self.quantity = quantity
        self.priceCents = priceCents
    }
}

/// An order in its present state.
public struct Order: Sendable, Hashable {
    /// Unique, positive.
    public let id: Int64
    /// Who ordered.
    public let userID: Int64
    /// What was ordered.
    public let items: [OrderItem]
    /// The sum of all items in cents.
    public let totalCents: Int64
    /// How far it is.
    public let state: OrderState
    /// When it was placed.
    public let placedAt: Milliseconds
}

/// Some of a user's orders, oldest first.
public struct OrderPage: Sendable, Hashable {
    /// The orders.
    public let orders: [Order]
    /// The id after which the next page begins; nil when this is the last.
    public let nextAfter: Int64?
}

/// An order has reached a state.
public struct OrderUpdate: Sendable, Hashable {
    /// 1 for the first state, then counting up without gaps.
    public let sequence: Int32
    /// The state.
    public let state: OrderState
    /// When it was reached.
    public let at: Milliseconds
}
