// SPDX-License-Identifier: Apache-2.0

package import ApusCore

extension MethodDescriptor {
    package static let unary = MethodDescriptor(service: "test.Service", name: "Unary", kind: .unary)
    package static let clientStreaming = MethodDescriptor(
        service: "test.Service", name: "Collect", kind: .clientStreaming)
    package static let serverStreaming = MethodDescriptor(
        service: "test.Service", name: "Watch", kind: .serverStreaming)
}

extension Channel {
    /// Makes a unary call with a small message and returns the answer's text.
    @discardableResult
    package func ask(_ options: CallOptions = CallOptions()) async throws(RPCError) -> String {
        let response = try await start(.unary, .one(MessageBytes("ask".utf8)), options: options)
        guard case .one(let bytes, _) = response.body else { throw RPCError(.internal, "the answer is a stream") }
        return String(decoding: bytes.bytes, as: UTF8.self)
    }
}

extension Endpoint {
    /// An endpoint on this machine.
    package static func local(_ port: Int) -> Endpoint { Endpoint(host: "127.0.0.1", port: port) }
}

/// Gives every call the same candidates.
package struct FixedCandidates: ClientInterceptor {
    package let candidates: Candidates

    package init(_ candidates: Candidates) { self.candidates = candidates }
    package init(ports: Range<Int>) { candidates = Candidates(ports.map { .local($0) }) }

    package func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.candidates = candidates
        return try await next(call)
    }
}
