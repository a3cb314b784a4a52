// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos

/// Who may order: the users that the user service knows.
struct Customers: Sendable {
    private let users: UserService.Client

    init(_ users: UserService.Client) { self.users = users }

    /// Asks for a user. The call inherits the deadline of the call that is being handled.
    ///
    /// - Throws: NOT_FOUND when there is no such user; CANCELLED; UNAVAILABLE when nobody answered, also not in time:
    ///   nothing has happened then, and a client with time left may try again.
    func require(_ id: Int64) async throws(RPCError) {
        do throws(RPCError) {
            _ = try await users.getUser(GetUserRequest(userId: id))
        } catch {
            switch error.code {
            case .notFound, .cancelled: throw RPCError(error.code, error.message)
            default: throw RPCError(.unavailable, "the user service cannot be asked: \(error)")
            }
        }
    }
}
