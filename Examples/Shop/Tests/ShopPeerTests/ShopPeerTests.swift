// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos
import Testing

/// The shop's services and Python's gRPC.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ShopPeerTests {
    /// What is checked stands in `Tests/Peers/shop_client.py`.
    @Test func `a client of Python's gRPC buys in the shop with all four kinds of call`() async throws {
        try await Shop.run { users, orders in
            let path = "Examples/Shop/Tests/Peers/shop_client.py"
            let client = try PeerProcess(python: path, ["\(users)", "\(orders)"])
            defer { client.stop() }
            try await client.succeeds()
        }
    }

    @Test func `our client registers, logs in and looks up at a user service of Python's gRPC`() async throws {
        try await withPythonUsers { address in
            let users = UserService.Client(Channel(to: address))
            let ada = try await users.register(RegisterRequest(username: "ada", password: "correct horse"))
            #expect(ada == RegisterReply(userId: 1, username: "ada"))
            let session = try await users.login(LoginRequest(username: "ada", password: "correct horse"))
            #expect(session.user == User(id: 1, username: "ada"))
            #expect(session.sessionToken == "token of ada")
            let found = try await users.getUser(GetUserRequest(userId: 1))
            #expect(found.user?.username == "ada")

            let wrong = await #expect(throws: RPCError.self) {
                try await users.login(LoginRequest(username: "ada", password: "wrong"))
            }
            #expect(wrong?.status == Status(.unauthenticated, "wrong name or password"))
            let taken = await #expect(throws: RPCError.self) {
                try await users.register(RegisterRequest(username: "ada"))
            }
            #expect(taken?.status == Status(.alreadyExists, "the name ada is taken"))
        }
    }

    @Test func `the order service asks a user service of Python's gRPC`() async throws {
        try await withPythonUsers { address in
            let ada = try await UserService.Client(Channel(to: address)).register(RegisterRequest(username: "ada"))
            try await Shop.run(users: address) { _, orders in
                let client = OrderService.Client(Channel(to: orders))
                let item = Item(sku: "swift", quantity: 3, priceCents: 100)
                var request = PlaceOrderRequest(userId: ada.userId, items: [item], idempotencyKey: "1")
                let reply = try await client.placeOrder(request)
                #expect(reply.order?.totalCents == 300)

                request.userId += 1
                let error = await #expect(throws: RPCError.self) { try await client.placeOrder(request) }
                #expect(error?.status == Status(.notFound, "there is no user \(request.userId)"))
            }
        }
    }

    private func withPythonUsers(_ body: (Endpoint.Address) async throws -> Void) async throws {
        let server = try PeerProcess(python: "Examples/Shop/Tests/Peers/user_server.py")
        defer { server.stop() }
        let line = try await server.firstLine()
        let port = try #require(Int(line))
        try await body(.host("127.0.0.1", port: port))
    }
}
