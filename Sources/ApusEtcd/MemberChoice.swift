// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Sends calls to one of etcd's members, the same for all until it fails; then to the next one.
///
/// A call that no member has seen goes on to the next at once; any other failure is the caller's to repeat.
final class MemberChoice: RoutingInterceptor, RetryingInterceptor {
    private let members: [EndpointHandle]
    private let current = Atomic<Int>(0)

    init(_ endpoints: [Endpoint]) { members = endpoints.map { EndpointHandle($0) } }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard !members.isEmpty else {
            throw RPCError(
                .invalidArgument, "a registry in etcd needs the address of a member", progress: .notConnected)
        }
        var tries = 1
        while true {
            let index = current.load(ordering: .relaxed)
            var call = call
            call.attempt = tries
            call.endpoint = members[index]
            do {
                let response = try await next(call)
                response.onEnd { [weak self] error in if let error { self?.failed(index, error) } }
                return response
            } catch {
                let error = RPCError(wrapping: error)
                failed(index, error)
                guard Self.canRepeat(call, error), tries < members.count, !next.isClosed else { throw error }
                tries += 1
            }
        }
    }

    // Of calls that fail together only the first one moves on.
    private func failed(_ index: Int, _ error: RPCError) {
        guard error.code == .unavailable || error.code == .deadlineExceeded else { return }
        _ = current.compareExchange(expected: index, desired: (index + 1) % members.count, ordering: .relaxed)
    }

    private static func canRepeat(_ call: ClientCall, _ error: RPCError) -> Bool {
        if case .stream(let source) = call.request, !source.isUntouched { return false }
        return error.code == .unavailable && error.progress.rawValue < RPCError.Progress.sent.rawValue
    }
}
