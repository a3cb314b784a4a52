// SPDX-License-Identifier: Apache-2.0

/// How a call ended: a code, a text for people, and optional details for programs.
public struct Status: Sendable, Hashable {
    /// The canonical code.
    public var code: Code

    /// Text for the developer of the client; travels as `grpc-message`.
    public var message: String

    /// A serialized `google.rpc.Status`, empty when there is none; travels as `grpc-status-details-bin`.
    public var details: [UInt8]

    /// A status.
    public init(_ code: Code, _ message: String = "", details: [UInt8] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The call succeeded.
    public static let ok = Status(.ok)

    /// Whether the call succeeded.
    public var isOK: Bool { code == .ok }

    /// The canonical codes, with their numbers on the wire. Source: gRPC, *Status codes and their use*.
    public enum Code: Int, Sendable, Hashable, CaseIterable {
        /// Success.
        case ok = 0
        /// The operation was cancelled, typically by the caller.
        case cancelled = 1
        /// An error without a better code, also a number that is no code.
        case unknown = 2
        /// The client gave an argument that is wrong whatever the state of the system.
        case invalidArgument = 3
        /// The deadline passed before the operation completed; it may have had its effect.
        case deadlineExceeded = 4
        /// Some requested entity was not found.
        case notFound = 5
        /// The entity that the client wanted to create exists.
        case alreadyExists = 6
        /// The caller is known but may not do this.
        case permissionDenied = 7
        /// A quota, a size limit or some other resource ran out.
        case resourceExhausted = 8
        /// The system is not in the state that the operation needs; do not retry as it is.
        case failedPrecondition = 9
        /// Concurrency conflict: retry at a higher level.
        case aborted = 10
        /// Past the valid range, which may be valid later.
        case outOfRange = 11
        /// The method is not implemented by this server.
        case unimplemented = 12
        /// An invariant is broken.
        case `internal` = 13
        /// The service cannot be reached now: a retry may help.
        case unavailable = 14
        /// Unrecoverable loss or corruption of data.
        case dataLoss = 15
        /// The caller has no valid credentials.
        case unauthenticated = 16

        /// The name as gRPC's documents spell it, such as `DEADLINE_EXCEEDED`.
        public var name: String { Self.names[rawValue] }

        private static let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
    }
}

extension Status.Code: CustomStringConvertible {
    /// The name as gRPC's documents spell it.
    public var description: String { name }
}

extension Status: CustomStringConvertible {
    /// Code and message.
    public var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }
}
