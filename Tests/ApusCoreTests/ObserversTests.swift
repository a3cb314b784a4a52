// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@Suite struct ObserversTests {
    /// Writes down what it is told.
    private final class Log: Observer {
        let name: String
        let shared: Shared

        final class Shared: Sendable {
            let lines = Mutex<[String]>([])
        }

        init(_ name: String, _ shared: Shared) {
            self.name = name
            self.shared = shared
        }

        private func note(_ what: String) { shared.lines.withLock { $0.append("\(name) \(what)") } }

        func callStarted(_ call: ClientCall) { note("callStarted") }
        func callEnded(_ call: ClientCall, error: RPCError?) { note("callEnded") }
        func attemptStarted(_ call: ClientCall) { note("attemptStarted") }
        func attemptEnded(_ call: ClientCall, error: RPCError?) { note("attemptEnded") }
        func picked(_ endpoint: EndpointHandle, for call: ClientCall) { note("picked") }
        func waiting(_ call: ClientCall, for endpoint: EndpointHandle) { note("waiting") }
        func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) { note("retrying") }
        func resolved(_ target: String, candidates: Candidates) { note("resolved") }
        func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState) { note("connectivityChanged") }
        func policyEvent(_ event: PolicyEvent) { note("policyEvent") }
        func policyEvent(_ event: PolicyEvent, of target: String) { note("policyEvent of \(target)") }
        func serverCallStarted(_ call: ServerCall) { note("serverCallStarted") }
        func serverCallEnded(_ call: ServerCall, error: RPCError?) { note("serverCallEnded") }
        func serverEvent(_ event: ServerEvent) { note("serverEvent") }
    }

    @Test func `each observer is told of everything, in order`() {
        let shared = Log.Shared()
        let both = Observers([Log("a", shared), Log("b", shared)])
        let call = ClientCall(method: .unary, target: "users", request: .one(MessageBytes([])))
        let (handle, error) = (EndpointHandle(.local(1)), RPCError(.unavailable, "scripted"))
        let steps: [(String, () -> Void)] = [
            ("callStarted", { both.callStarted(call) }),
            ("callEnded", { both.callEnded(call, error: nil) }),
            ("attemptStarted", { both.attemptStarted(call) }),
            ("attemptEnded", { both.attemptEnded(call, error: nil) }),
            ("picked", { both.picked(handle, for: call) }), ("waiting", { both.waiting(call, for: handle) }),
            ("retrying", { both.retrying(call, after: error, delay: .zero) }),
            ("resolved", { both.resolved("users", candidates: Candidates()) }),
            ("resolved", { both.resolved("users", from: nil, to: Candidates()) }),
            ("connectivityChanged", { both.connectivityChanged(.local(1), to: .ready) }),
            ("connectivityChanged", { both.connectivityChanged(.local(1), from: .idle, to: .ready) }),
            ("policyEvent", { both.policyEvent(.readmitted(.local(1))) }),
            ("policyEvent of users", { both.policyEvent(.readmitted(.local(1)), of: "users") }),
            ("serverCallStarted", { both.serverCallStarted(.inProgress()) }),
            ("serverCallEnded", { both.serverCallEnded(.inProgress(), error: nil) }),
            ("serverEvent", { both.serverEvent(.outOfDescriptors(listener: .memory("x"))) }),
        ]
        for (_, step) in steps { step() }
        #expect(shared.lines.withLock { $0 } == steps.flatMap { ["a \($0.0)", "b \($0.0)"] })
    }
}
