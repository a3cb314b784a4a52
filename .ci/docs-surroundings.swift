// SPDX-License-Identifier: Apache-2.0

import Apus

// What the blocks of the README and the articles take for granted.

let registry = InMemoryRegistry()
let directory = DirectoryRegistry(path: "/run/shop/registry")
let secret = "long enough"
let key = "once"
let password = "secret"
let request = GetUserRequest(userId: 1)

struct Users: UserService.Handler {
    func register(_ request: RegisterRequest, call: ServerCall) async throws -> RegisterReply { RegisterReply() }
    func login(_ request: LoginRequest, call: ServerCall) async throws -> LoginReply { LoginReply() }
    func getUser(_ request: GetUserRequest, call: ServerCall) async throws -> GetUserReply { GetUserReply() }
}

var server: Server { get throws { try Server([Users()]) } }
let channel = Channel("users", registry: registry)
let users = UserService.Client(channel)

struct Accounts: Sendable {
    func verify(_ token: String) async throws -> Principal? { nil }
}

let accounts = Accounts()
func login() async throws -> AccessToken { AccessToken("token") }
let orders = OrderService.Client(channel)
let descriptorSet: [UInt8] = []
let bytes: [UInt8] = []
