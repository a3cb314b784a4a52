// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Puts a token into `authorization` of each try. To be used over TLS alone: whoever reads it can use it.
///
/// Stands behind ``Retry`` or ``Hedging``, so that each try has the newest token. Source: RFC 6750; gRPC's call
/// credentials.
///
/// ```swift
/// var stack = DefaultStack()
/// stack.perTry = [CallCredentials { try await login() }]
/// ```
public final class CallCredentials: ClientInterceptor {
    private struct State {
        var course = TokenCourse()
        /// Opens when the question is answered.
        var answered: (stream: AsyncStream<Never>, continuation: AsyncStream<Never>.Continuation)?
    }

    private let fetch: @Sendable () async throws -> AccessToken
    private let clock: any MonotonicClock
    private let state = Mutex(State())

    /// Asks for tokens.
    ///
    /// - Parameters:
    ///   - clock: the clock of the channel.
    ///   - fetch: gets a token; called again shortly before that ends, or when a server refused it with UNAUTHENTICATED,
    ///     and never twice at once. After a failure nobody asks for a second, and calls that need a token fail with
    ///     UNAUTHENTICATED, or with the code of its ``RPCError``.
    public init(
        clock: any MonotonicClock = SystemClock(), _ fetch: @escaping @Sendable () async throws -> AccessToken
    ) {
        self.clock = clock
        self.fetch = fetch
    }

    /// One token for ever.
    public convenience init(token: String) { self.init { AccessToken(token) } }

    /// Sends the try with the token.
    ///
    /// - Throws: why there is no token, with nothing sent; the call's error.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let token = try await token(for: call)
        var call = call
        call.metadata["authorization"] = "Bearer \(token)"
        do {
            return try await next(call)
        } catch {
            if RPCError(wrapping: error).code == .unauthenticated { refused(token) }
            throw error
        }
    }

    private func refused(_ token: String) { state.withLock { $0.course.refused(token, at: clock.now) } }

    private func token(for call: ClientCall) async throws(RPCError) -> String {
        while true {
            let (answer, answered) = look()
            switch answer {
            case .use(let token): return token
            case .fail(let error): throw error
            case .useAndRefresh(let token):
                ask()
                return token
            case .refresh: ask()
            case .wait: break
            }
            if let answered { try await wait(for: answered, call) }
        }
    }

    private func look() -> (TokenCourse.Answer, answered: AsyncStream<Never>?) {
        state.withLock { state in
            let answer = state.course.next(at: clock.now)
            switch answer {
            case .refresh, .useAndRefresh: state.answered = AsyncStream.makeStream(of: Never.self)
            case .use, .wait, .fail: break
            }
            return (answer, state.answered?.stream)
        }
    }

    // A task of its own: the call that asks may be cancelled, the others wait on.
    private func ask() {
        Task { [fetch, clock] in
            let result: Result<AccessToken, RPCError>
            do { result = .success(try await fetch()) } catch { result = .failure(Self.failure(error)) }
            let opener = state.withLock { state in
                switch result {
                case .success(let token): state.course.got(token, at: clock.now)
                case .failure(let error): state.course.failed(error, at: clock.now)
                }
                defer { state.answered = nil }
                return state.answered?.continuation
            }
            opener?.finish()
        }
    }

    private func wait(for answered: AsyncStream<Never>, _ call: ClientCall) async throws(RPCError) {
        if call.deadline.isNone {
            for await _ in answered {}
        } else {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in answered {} }
                group.addTask { [clock] in try? await clock.sleep(until: call.deadline.instant) }
                await group.next()
                group.cancelAll()
            }
        }
        if Task.isCancelled {
            throw RPCError(
                .cancelled, "the calling task was cancelled while it waited for a token", progress: .notConnected)
        }
        if call.deadline.hasPassed(at: clock.now) {
            throw CallDeadline.exceeded("while waiting for an access token", progress: .notConnected)
        }
    }

    private static func failure(_ error: any Error) -> RPCError {
        guard let error = error as? RPCError else {
            return RPCError(.unauthenticated, "no access token: \(error)", progress: .notConnected)
        }
        return RPCError(error.code, "no access token: \(error.message)", progress: .notConnected)
    }
}
