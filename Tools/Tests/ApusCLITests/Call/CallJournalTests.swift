// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization
import Testing

@testable import ApusCLI

/// Keeps what a command writes.
final class RecordedOutput: Output {
    private let lines = Mutex<(answers: [String], complaints: [String])>(([], []))
    var answers: [String] { lines.withLock { $0.answers } }
    var complaints: [String] { lines.withLock { $0.complaints } }
    func print(_ line: String) { lines.withLock { $0.answers.append(line) } }
    func complain(_ line: String) { lines.withLock { $0.complaints.append(line) } }
}

/// Sleeping is the only thing that takes time, and no time at all.
final class SteppingClock: MonotonicClock {
    private let moment = Mutex(MonotonicInstant(nanoseconds: 0))
    var now: MonotonicInstant { moment.withLock { $0 } }
    func advance(by duration: Duration) { moment.withLock { $0 = $0.advanced(by: duration) } }
    func sleep(until deadline: MonotonicInstant) async throws {
        try Task.checkCancellation()
        moment.withLock { $0 = max($0, deadline) }
    }
}

struct CallJournalTests {
    private let output = RecordedOutput()
    private let clock = SteppingClock()
    private let method = MethodDescriptor(service: "a.B", name: "C", kind: .unary)

    @Test func `a call that succeeds is told from its path to its sizes`() {
        let journal = CallJournal(output, clock: clock)
        journal.begins(method, CallOptions(timeout: .seconds(2), metadata: ["x-id": "7"]))
        journal.sent(12)
        journal.head(["server": "s"])
        clock.advance(by: .milliseconds(3))
        journal.received(2048)
        journal.ended(trailers: ["x-cost": "1"])
        #expect(
            output.complaints == [
                "> /a.B/C, within 2.00 s", "> x-id: 7", "< server: s", "< x-cost: 1 (trailer)",
                "= OK (0) after 3.00 ms, 1 try; 1 message (12 bytes) sent, 1 message (2.0 KiB) received",
            ])
    }

    @Test func `tries and waits are told, and not those of reflection`() {
        let journal = CallJournal(output, clock: clock)
        let handle = EndpointHandle(Endpoint(host: "10.0.0.7", port: 1))
        var call = ClientCall(method: method, target: "t", request: .one(MessageBytes([])))
        call.attempt = 2
        journal.picked(handle, for: call)
        journal.retrying(call, after: RPCError(.unavailable, "gone\n"), delay: .milliseconds(100))
        let reflection = MethodDescriptor(
            service: "grpc.reflection.v1.ServerReflection", name: "ServerReflectionInfo", kind: .bidirectional)
        journal.picked(handle, for: ClientCall(method: reflection, target: "t", request: .one(MessageBytes([]))))
        journal.ended(RPCError(.unavailable, "gone"))
        #expect(
            output.complaints == [
                "* try 2 goes to 10.0.0.7:1", "* try 2 failed, again in 100 ms: UNAVAILABLE: gone\\n",
                "= UNAVAILABLE (14), 2 tries; 0 messages (0 bytes) sent, 0 messages (0 bytes) received",
            ])
    }

    @Test func `the connection is told until the call is over`() {
        let journal = CallJournal(output, clock: clock)
        let endpoint = Endpoint(host: "10.0.0.7", port: 1)
        journal.connectivityChanged(endpoint, to: .ready)
        journal.ended(trailers: Metadata())
        journal.connectivityChanged(endpoint, to: .transientFailure)
        #expect(output.complaints.filter { $0.hasPrefix("*") } == ["* 10.0.0.7:1 is connected"])
    }
}
