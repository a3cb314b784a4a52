// SPDX-License-Identifier: Apache-2.0

public import Apus
import Foundation
import ShopStore

/// Gives the stores' errors their gRPC codes, for all handlers behind it.
///
/// What a client may know goes to the client; what only the operator can mend goes to the standard error.
public struct StoreErrors: ServerInterceptor {
    private let report: @Sendable (String) -> Void

    /// - Parameter report: takes a line about what the client is not told.
    public init(report: @escaping @Sendable (String) -> Void = Self.writeToStandardError) { self.report = report }

    /// Passes the call on.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        do {
            return try await next(call)
        } catch let error as StoreError {
            throw answer(to: call, error)
        }
    }

    private func answer(to call: ServerCall, _ error: StoreError) -> RPCError {
        guard let code = error.code else {
            report("\(call.method.path): \(error)")
            return RPCError(.internal, "the service's storage failed")
        }
        return RPCError(code, "\(error)")
    }

    /// Writes a line to the standard error.
    @Sendable public static func writeToStandardError(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}

extension StoreError {
    /// The code for the client; nil when the storage itself is at fault.
    var code: Status.Code? {
        switch self {
        case .invalid: .invalidArgument
        case .usernameTaken: .alreadyExists
        case .keyReused: .failedPrecondition
        case .wrongCredentials: .unauthenticated
        case .noSuchOrder: .notFound
        case .busy: .unavailable
        case .newerSchema, .damaged, .failed: nil
        }
    }
}
