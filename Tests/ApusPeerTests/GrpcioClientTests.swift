// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

/// A client of Python's gRPC, with its defaults for retries and keepalive, calls our server. What it checks stands in
/// `Tests/Peers/client.py`, in the function that a test names; here is what must be so at the server afterwards.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GrpcioClientTests {
    @Test func `a unary call is answered`() async throws { try await run("unary") }
    @Test func `empty messages and empty streams pass`() async throws { try await run("empty_messages") }
    @Test func `a client stream is counted`() async throws { try await run("client_stream") }
    @Test func `a server stream arrives whole and in order`() async throws { try await run("server_stream") }
    @Test func `a chat answers each message before the next is sent`() async throws { try await run("chat") }
    @Test func `a chat goes on after the client's half is closed`() async throws { try await run("half_close") }
    @Test func `messages of a megabyte pass both ways`() async throws { try await run("big_messages") }
    @Test func `five hundred calls at once are answered`() async throws { try await run("many_calls") }

    @Test func `metadata goes both ways, binary and repeated keys too`() async throws { try await run("metadata") }
    @Test func `initial metadata leaves before the first message`() async throws { try await run("early_head") }
    @Test func `every status arrives with its text`() async throws { try await run("statuses") }
    @Test func `a stream ends with a status after its messages`() async throws {
        try await run("status_after_messages")
    }
    @Test func `trailing metadata comes with an error`() async throws { try await run("trailers_of_an_error") }

    @Test func `a handler may end before its client does`() async throws { try await run("early_end") }
    @Test func `a cancelled call cancels its handler`() async throws { try await run("cancellation") }
    @Test func `a client that is gone cancels its handlers`() async throws { try await run("lost_client") }
    @Test func `a deadline reaches the handler and ends it`() async throws { try await run("deadline") }
    @Test func `a call that ended well is not taken for a cancelled one`() async throws { try await run("good_end") }

    @Test func `names that nobody serves are unimplemented`() async throws { try await run("unknown_names") }
    @Test func `bytes that are no message are refused`() async throws { try await run("garbage") }
    @Test func `a message over the limit is refused, and the connection lives on`() async throws {
        try await run("too_big")
    }
    @Test func `a unary method takes exactly one message`() async throws { try await run("no_message") }

    @Test func `the server ends a call whose client lets its deadline pass`() async throws {
        try await run("server_deadline")
    }

    @Test(arguments: [HandlerExecution.concurrent, .threads(4)])
    func `handlers off the event loop serve all kinds of call`(_ execution: HandlerExecution) async throws {
        let cases = ["unary", "client_stream", "server_stream", "chat", "cancellation", "deadline"]
        try await run(cases, PeerHandler(execution: execution))
    }

    @Test func `a server that stops lets calls in flight finish and takes no new ones`() async throws {
        let running = try Server([PeerHandler()]).start(on: .host("127.0.0.1", port: 0))
        let client = try PeerProcess(python: "Tests/Peers/client.py", ["\(running.addresses[0])", "drained"])
        defer { client.stop() }
        #expect(try await client.firstLine() == "the server may stop")
        await running.stop(grace: .seconds(60))
        try await client.succeeds()
    }

    private func run(_ name: String) async throws { try await run([name], PeerHandler()) }

    private func run(_ cases: [String], _ handler: PeerHandler) async throws {
        let running = try Server([handler]).start(on: .host("127.0.0.1", port: 0))
        let client = try PeerProcess(python: "Tests/Peers/client.py", ["\(running.addresses[0])"] + cases)
        defer { client.stop() }
        try await client.succeeds()
        await running.stop(grace: .seconds(60))
        #expect(running.counts.connections == 0)
        #expect(running.counts.handlers == 0)
    }
}
