// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

struct RPCErrorTests {
    @Test func `one line says what happened, where, and why`() {
        let error = RPCError(.unavailable, "no connection", peer: .local(50051), cause: "connection refused")
            .with(note: "attempt 3 of 4").with(note: "1.2 of 2.0 s spent")
        let line =
            "UNAVAILABLE: no connection (peer 127.0.0.1:50051, connection refused, attempt 3 of 4, 1.2 of 2.0 s spent)"
        #expect(error.description == line)
    }

    @Test func `an error without a message or context is its code`() {
        #expect(RPCError(.notFound, "").description == "NOT_FOUND")
    }

    @Test func `changing one thing keeps all others`() {
        let handle = EndpointHandle(.local(7))
        let error = RPCError(.unavailable, "x", metadata: ["a": "b"], progress: .refused, cause: "c").at(handle)
            .with(note: "n").with(status: Status(.internal, "y"))
        #expect(error.code == .internal && error.metadata == ["a": "b"] && error.progress == .refused)
        #expect(error.cause == "c" && error.notes == ["n"] && error.pickedHandle == handle && error.peer == .local(7))
    }

    @Test func `the peer that the transport named stays`() {
        let error = RPCError(.unavailable, "x", peer: .local(1)).at(EndpointHandle(.local(2)))
        #expect(error.peer == .local(1))
    }

    @Test func `other errors are wrapped by what they mean`() {
        struct Odd: Error {}
        #expect(RPCError(wrapping: CancellationError()).code == .cancelled)
        #expect(RPCError(wrapping: Odd()).code == .unknown)
        #expect(RPCError(wrapping: RPCError(.aborted, "a")).code == .aborted)
    }
}
