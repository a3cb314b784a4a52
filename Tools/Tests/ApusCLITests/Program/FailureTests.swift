// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusCLI

struct FailureTests {
    @Test(arguments: Status.Code.allCases)
    func `the status of the process is the number of the code`(code: Status.Code) {
        #expect(Failure(RPCError(code, "")).status == Int32(code.rawValue))
    }

    @Test(arguments: [
        (RPCError(.unimplemented, "no method grpc.reflection.v1.ServerReflection/X"), "--proto"),
        (RPCError(.unavailable, "connect 127.0.0.1:1: connection refused"), "is the server running"),
        (RPCError(.unavailable, "look up nowhere: no such name"), "check the host's name"),
        (RPCError(.unavailable, "the certificate is not trusted"), "--cacert"),
        (RPCError(.unavailable, "the server does not speak TLS"), "--tls"),
        (RPCError(.deadlineExceeded, "too late"), "--timeout"), (RPCError(.unauthenticated, "who?"), "-H"),
    ])
    func `an error says what to do`(error: RPCError, advice: String) {
        #expect(Failure(error).line.contains(advice))
    }

    @Test func `a server's message is one line, whatever it says`() {
        #expect(Failure(RPCError(.internal, "a\nb\u{1B}[31m")).line == #"INTERNAL: a\nb\u001B[31m"#)
    }

    @Test func `mistakes have the status of wrong usage`() {
        #expect(Failure(Mistake("no such file"))?.status == 64)
        #expect(Failure(CancellationError())?.status == 1)
    }
}
