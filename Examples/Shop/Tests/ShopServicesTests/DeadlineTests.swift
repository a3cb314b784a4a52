// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos
import Synchronization
import Testing

@testable import ShopServices

/// What the order service's question to the user service takes along from the call that it handles.
@Suite struct DeadlineTests {
    /// A user service that knows everybody and notes how its calls end.
    final class Everybody: UserService.Handler {
        let deadlines = Mutex<[CallDeadline]>([])

        func register(_ request: RegisterRequest, call: ServerCall) async throws -> RegisterReply { RegisterReply() }
        func login(_ request: LoginRequest, call: ServerCall) async throws -> LoginReply { LoginReply() }
        func getUser(_ request: GetUserRequest, call: ServerCall) async throws -> GetUserReply {
            deadlines.withLock { $0.append(call.deadline) }
            return GetUserReply(user: User(id: request.userId))
        }
    }

    /// The deadlines of an order's call and of the question that it led to.
    func deadlines(timeout: Duration?) async throws -> (order: CallDeadline, question: CallDeadline) {
        let network = InMemoryNetwork()
        let everybody = Everybody()
        let running = try network.start(try Server([everybody]), as: "users")
        defer { running.stopNow() }
        let channel = Channel(
            "users", interceptors: [Deadline.inherited, PinnedEndpoint(Endpoint(.memory("users")))],
            transport: network.transport())
        let customers = Customers(UserService.Client(channel))
        let order = Mutex(CallDeadline.none)
        let asking = Route(OrderService.Methods.placeOrder.descriptor) { call in
            order.withLock { $0 = call.deadline }
            try await customers.require(7)
            return ServerResponse(message: MessageBytes([]))
        }
        let asker = try network.start(try Server([OneRoute(route: asking)]), as: "orders")
        defer { asker.stopNow() }
        let client = Channel(
            "orders", interceptors: [PinnedEndpoint(Endpoint(.memory("orders")))], transport: network.transport())
        _ = try await client.unary(
            OrderService.Methods.placeOrder, PlaceOrderRequest(), options: CallOptions(timeout: timeout))
        return (order.withLock { $0 }, try #require(everybody.deadlines.withLock { $0.first }))
    }

    private struct OneRoute: Service {
        let route: Route
        var routes: [Route] { [route] }
    }

    @Test func `the user service gets no more time than the order has left`() async throws {
        let (order, question) = try await deadlines(timeout: .seconds(600))
        #expect(!order.isNone)
        // The time that is left travels in rounded units, from one machine's clock to another's.
        let difference = order.instant.duration(to: question.instant)
        #expect((.seconds(-60)...(.seconds(60))).contains(difference))
    }

    @Test func `an order without a deadline asks without one`() async throws {
        let (order, question) = try await deadlines(timeout: nil)
        #expect(order.isNone && question.isNone)
    }
}
