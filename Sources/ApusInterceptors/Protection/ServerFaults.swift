// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension Set<Status.Code> {
    /// The codes that speak against a server, not against a request: what breakers and outlier ejection count.
    public static let serverFaults: Set<Status.Code> = [
        .unavailable, .deadlineExceeded, .resourceExhausted, .internal, .unknown, .dataLoss,
    ]
}

/// What a call's end says about the server that it went to.
enum Verdict: Sendable, Equatable {
    case success
    case failure
    /// Nothing: the caller took the call back, or it never left.
    case none

    init(_ error: RPCError?, faults: Set<Status.Code>) {
        guard let error else {
            self = .success
            return
        }
        switch error.progress {
        case .notSent: self = .none
        default: self = error.code == .cancelled ? .none : faults.contains(error.code) ? .failure : .success
        }
    }
}
