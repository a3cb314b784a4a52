// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ShopProtos
public import ShopStore

/// The user service over its store.
public struct Users: UserService.Handler {
    private let store: UserStore

    /// A service that keeps its users in `store`.
    public init(_ store: UserStore) { self.store = store }

    /// Threads of its own: the database and the slow hash block them.
    public var execution: HandlerExecution { .threads(4) }

    /// Registers a user, once for each key.
    public func register(_ request: RegisterRequest, call: ServerCall) async throws -> RegisterReply {
        let user = try store.register(
            username: request.username, password: request.password, key: request.idempotencyKey)
        return RegisterReply(userId: user.id, username: user.username)
    }

    /// Checks a password and opens a session.
    public func login(_ request: LoginRequest, call: ServerCall) async throws -> LoginReply {
        let session = try store.logIn(username: request.username, password: request.password)
        return LoginReply(sessionToken: session.token, user: User(session.user))
    }

    /// Finds a user.
    public func getUser(_ request: GetUserRequest, call: ServerCall) async throws -> GetUserReply {
        guard let user = try store.user(id: request.userId) else {
            throw RPCError(.notFound, "there is no user \(request.userId)")
        }
        return GetUserReply(user: User(user))
    }
}

extension ShopProtos.User {
    init(_ user: ShopStore.User) { self.init(id: user.id, username: user.username) }
}
