// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ShopProtos
public import ShopStore

/// The order service over its store; it asks the user service who may order.
public struct Orders: OrderService.Handler {
    let store: OrderStore
    let changes: FileChanges
    private let customers: Customers

    /// A service that keeps its orders in `store`.
    ///
    /// - Parameters:
    ///   - changes: tells when an order was placed or went on; somebody has to let it look at the file.
    ///   - users: where users are asked for.
    public init(_ store: OrderStore, changes: FileChanges, users: UserService.Client) {
        self.store = store
        self.changes = changes
        customers = Customers(users)
    }

    /// Threads of its own: the database blocks them. A watch holds none while it waits.
    public var execution: HandlerExecution { .threads(4) }

    /// Places an order of a user who exists, once for each key.
    public func placeOrder(_ request: PlaceOrderRequest, call: ServerCall) async throws -> PlaceOrderReply {
        try await customers.require(request.userId)
        return PlaceOrderReply(order: Order(try place(request)))
    }

    /// One page of a user's orders.
    public func listOrders(_ request: ListOrdersRequest, call: ServerCall) async throws -> ListOrdersReply {
        let limit = request.pageSize == 0 ? 20 : Int(request.pageSize)
        let page = try store.orders(userID: request.userId, after: try Self.place(of: request.pageToken), limit: limit)
        return ListOrdersReply(
            orders: page.orders.map(Order.init), nextPageToken: page.nextAfter.map(String.init) ?? "")
    }

    /// Places many orders; one that is refused does not end the call.
    public func importOrders(
        _ requests: RequestStream<ProtobufCodec<PlaceOrderRequest>>, call: ServerCall
    ) async throws -> ImportSummary {
        var summary = ImportSummary()
        for try await request in requests {
            do {
                try await customers.require(request.userId)
                summary.add(try place(request))
            } catch {
                guard let reason = Self.refusal(error) else { throw error }
                summary.refuse(reason)
            }
        }
        return summary
    }

    private func place(_ request: PlaceOrderRequest) throws -> ShopStore.Order {
        let items = request.items.map { OrderItem(sku: $0.sku, quantity: $0.quantity, priceCents: $0.priceCents) }
        return try store.place(userID: request.userId, items: items, key: request.idempotencyKey)
    }

    // A page begins after an order's id, which is all that a token holds.
    private static func place(of token: String) throws(RPCError) -> Int64 {
        if token.isEmpty { return 0 }
        guard let id = Int64(token), id >= 0 else {
            throw RPCError(.invalidArgument, "a page token is what the last answer gave, and '\(token)' is none")
        }
        return id
    }

    // Why this one order cannot be placed, whenever it is tried; nil when the service is at fault.
    private static func refusal(_ error: any Error) -> String? {
        switch error {
        case let error as StoreError where error == .keyReused: "\(error)"
        case StoreError.invalid(let rule): rule
        case let error as RPCError where error.code == .notFound: error.message
        default: nil
        }
    }
}

extension ImportSummary {
    fileprivate mutating func add(_ order: ShopStore.Order) {
        placed += 1
        // No sum of orders within their limits overflows, but a client may import for years.
        totalCents = totalCents.addingReportingOverflow(order.totalCents).partialValue
    }

    fileprivate mutating func refuse(_ reason: String) {
        if refused == 0 { firstRefusal = reason }
        refused += 1
    }
}
