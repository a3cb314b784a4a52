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
    package static let positive = unary + streaming + endings + soaks

    /// The cases that run against a server that misbehaves in the way of the case.
    package static let negative = http2

    // They need a library that compresses.
    private static let missing = [
        "client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
        "server_compressed_streaming",
    ]

    /// The case with a name.
    ///
    /// - Throws: ``FlagError`` for an unknown name.
    package static func named(_ name: String) throws(FlagError) -> InteropCase {
        if let found = (positive + negative).first(where: { $0.name == name }) { return found }
        if missing.contains(name) { throw FlagError("the test case \(name) is not there yet") }
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
    /// Checks that the payload is so many zeros.
    ///
    /// - Throws: ``InteropFailure``.
    func expectZeros(_ what: String, _ count: Int) throws {
        let body = self?.body ?? []
        try expect("bytes of \(what)", body.count, is: count)
        try expect("bytes of \(what) other than zero", body.count { $0 != 0 }, is: 0)
    }
}
