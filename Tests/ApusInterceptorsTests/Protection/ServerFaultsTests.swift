// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

@Suite struct ServerFaultsTests {
    private func verdict(_ code: Status.Code, _ progress: RPCError.Progress = .sent) -> Verdict {
        Verdict(RPCError(code, "scripted", progress: progress), faults: .serverFaults)
    }

    @Test(arguments: Status.Code.allCases)
    func `a code speaks against the server, for it, or not at all`(_ code: Status.Code) {
        let faults: [Status.Code] = [
            .unavailable, .deadlineExceeded, .resourceExhausted, .internal, .unknown, .dataLoss,
        ]
        let expected: Verdict = code == .cancelled ? .none : faults.contains(code) ? .failure : .success
        for progress in [.sent, .answered, .notConnected] as [RPCError.Progress] {
            #expect(verdict(code, progress) == expected)
        }
    }

    @Test(arguments: Status.Code.allCases)
    func `a call that never left says nothing about a server`(_ code: Status.Code) {
        #expect(verdict(code, .notSent) == .none)
    }

    @Test func `a call without an error succeeded, and codes of one's own decide instead`() {
        #expect(Verdict(nil, faults: .serverFaults) == .success)
        #expect(Verdict(RPCError(.notFound, ""), faults: [.notFound]) == .failure)
        #expect(Verdict(RPCError(.unavailable, ""), faults: [.notFound]) == .success)
    }
}
