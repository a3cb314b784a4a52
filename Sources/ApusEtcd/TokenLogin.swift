// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Synchronization

/// Shows etcd who calls: a token in the metadata `token` of each call, got with the user's password when there is
/// none, and anew when etcd refuses it, because it is too old or etcd has changed its users.
final class TokenLogin: ClientInterceptor {
    private struct State {
        var login: Task<String, any Error>?
        var number: UInt64 = 0
    }

    private let user: EtcdOptions.User
    private let timeout: Duration
    private let clock = SystemClock()
    private let state = Mutex(State())

    init(_ user: EtcdOptions.User, timeout: Duration) {
        self.user = user
        self.timeout = timeout
    }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        do {
            return try await attempt(call, next)
        } catch let error as RPCError {
            // What was refused for its token had no effect, so it may be repeated; a stream cannot.
            guard Self.isAboutToken(error), case .one = call.request else { throw error }
            return try await attempt(call, next)
        }
    }

    private func attempt(_ call: ClientCall, _ next: ClientNext) async throws -> ClientResponse {
        let (number, token) = try await token(call, next)
        var call = call
        call.metadata.add("token", token)
        do {
            let response = try await next(call)
            response.onEnd { [weak self] error in
                if let error, Self.isAboutToken(error) { self?.forget(number) }
            }
            return response
        } catch {
            if Self.isAboutToken(RPCError(wrapping: error)) { forget(number) }
            throw error
        }
    }

    /// The token that was got last is good no more: watches are told so in their own way.
    func forget() { state.withLock { $0.login = nil } }

    private func forget(_ number: UInt64) {
        state.withLock { if $0.number == number { $0.login = nil } }
    }

    // Calls that come together log in together.
    private func token(_ call: ClientCall, _ next: ClientNext) async throws -> (UInt64, String) {
        let (number, login) = state.withLock { state in
            if let login = state.login { return (state.number, login) }
            state.number += 1
            let login = Task { try await self.logIn(call.target, next) }
            state.login = login
            return (state.number, login)
        }
        do {
            return (number, try await login.value)
        } catch {
            forget(number)
            throw error
        }
    }

    private func logIn(_ target: String, _ next: ClientNext) async throws -> String {
        let request = EtcdAuthenticateRequest(name: user.name, password: user.password)
        let response = try await next(
            ClientCall(
                method: EtcdAuth.Methods.authenticate.descriptor, target: target,
                request: .one(try ProtobufCodec<EtcdAuthenticateRequest>.encode(request)),
                deadline: CallDeadline(at: clock.now.advanced(by: timeout))))
        guard case .one(let bytes, _) = response.body else {
            throw RPCError(.internal, "etcd answered a login with a stream")
        }
        return try ProtobufCodec<EtcdAuthenticateResponse>.decode(bytes).token
    }

    // etcd's words for a token that it does not know, that is missing, and that is older than the last change of users.
    private static func isAboutToken(_ error: RPCError) -> Bool {
        switch error.code {
        case .unauthenticated: true
        case .invalidArgument:
            error.message.contains("revision of auth store is old") || error.message.contains("user name is empty")
        default: false
        }
    }
}
