// SPDX-License-Identifier: Apache-2.0

import Apus

/// One case of gRPC's interop programs: a name that all implementations know, and what the client does.
/// Source: gRPC, *Interoperability Test Case Descriptions* and *Negative HTTP/2 Interop Test Case Descriptions*.
package struct InteropCase: Sendable {
    /// The name, such as `empty_unary`.
    package let name: String
    let body: @Sendable (InteropClient) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (InteropClient) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// The cases that run against any interop server.
    package static let positive = unary + streaming + compression + endings + soaks + load

    /// The cases that run against a server that misbehaves in the way of the case.
    package static let negative = http2

    // Cases of the descriptions that this client cannot run, with what it lacks.
    private static let refused: [String: String] = {
        let google = "credentials of Google's cloud"
        return [
            "cacheable_unary": "calls by GET", "compute_engine_creds": google,
            "jwt_token_creds": google, "oauth2_auth_token": google, "per_rpc_creds": google,
            "service_account_creds": google, "google_default_credentials": google,
            "compute_engine_channel_credentials": google,
        ]
    }()

    /// The case with a name.
    ///
    /// - Throws: ``FlagError`` for an unknown name, and for a case that needs what this client does not have.
    package static func named(_ name: String) throws(FlagError) -> InteropCase {
        if let found = (positive + negative).first(where: { $0.name == name }) { return found }
        if let need = refused[name] {
            throw FlagError("the test case \(name) needs \(need), which this client does not have")
        }
        let names = (positive + negative).map(\.name).joined(separator: ", ")
        throw FlagError("unknown test case '\(name)': there are \(names)")
    }
}

/// Checks that something is as expected.
///
/// - Throws: ``InteropFailure`` with both values.
func expect<T: Equatable>(_ what: String, _ actual: T, is expected: T) throws {
    guard actual != expected else { return }
    throw InteropFailure("\(what): expected \(expected), came \(actual)")
}

/// Checks that a call fails with one of these codes.
///
/// - Returns: its error.
/// - Throws: ``InteropFailure`` when it succeeds or fails with another code.
@discardableResult
func expect(
    _ what: String, failsWith codes: Status.Code..., body: () async throws -> Void
) async throws -> RPCError {
    do {
        try await body()
    } catch let error as RPCError {
        guard codes.isEmpty || codes.contains(error.code) else {
            throw InteropFailure("\(what): expected \(codes.map(\.name).joined(separator: " or ")), came \(error)")
        }
        return error
    }
    let expected = codes.isEmpty ? "an error" : codes.map(\.name).joined(separator: " or ")
    throw InteropFailure("\(what): expected \(expected), came success")
}

extension Payload? {
    /// Checks that the payload is so many zeros, and says so of itself.
    ///
    /// - Throws: ``InteropFailure``.
    func expectZeros(_ what: String, _ count: Int) throws {
        let body = self?.body ?? []
        try expect("payload type of \(what)", self?.type ?? .compressable, is: .compressable)
        try expect("bytes of \(what)", body.count, is: count)
        try expect("bytes of \(what) other than zero", body.count { $0 != 0 }, is: 0)
    }
}
